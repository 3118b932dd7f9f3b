"""The place of the backups: how it is handed to the programs, and what they say when it cannot be used."""

from __future__ import annotations

import importlib
import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from labelspace.postgres import pgbackrest
from labelspace.spec import BackupBucketSpec, BackupSpec


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the program in the image, by its name."""
    monkeypatch.syspath_prepend(pgbackrest.CONTEXT)
    return lambda name: importlib.import_module(f"labelspace_backup.{name}")


def _bucket(**values: Any) -> BackupSpec:
    keys = {"access_key": SecretStr("AK"), "secret_key": SecretStr("s3cret")}
    return BackupSpec(
        bucket=BackupBucketSpec(**{"name": "kept", "endpoint": "https://s3.example.org", **keys, **values})
    )


def _written(place: BackupSpec) -> tuple[dict[str, str], dict[str, Any]]:
    files = pgbackrest.secret_files("street", place, "key")
    return files, json.loads(files[pgbackrest.SETTINGS_FILE])


def test_a_bucket_reaches_both_programs() -> None:
    files, settings = _written(_bucket(endpoint="https://s3.example.org:9000", ca_certificate="PEM"))
    asked = files[pgbackrest.PGBACKREST_FILE].splitlines()
    for line in (
        "repo1-type=s3", "repo1-path=/labelspace/street/database", "repo1-s3-bucket=kept",
        "repo1-s3-endpoint=s3.example.org", "repo1-storage-port=9000", "repo1-s3-uri-style=path",
        f"repo1-storage-ca-file={pgbackrest.CA_FILE}",
    ):  # fmt: skip
        assert line in asked
    assert settings["restic"] == "s3:https://s3.example.org:9000/kept/labelspace/street/files"
    assert settings["restic_environment"]["AWS_SECRET_ACCESS_KEY"] == "s3cret"
    assert (settings["endpoint"], settings["authority"]) == ("s3.example.org:9000", pgbackrest.CA_FILE)
    assert files[pgbackrest.CA_FILE] == "PEM"


def test_a_known_authority_and_the_usual_port_need_no_words() -> None:
    files, settings = _written(_bucket())
    assert "repo1-storage-port=443" in files[pgbackrest.PGBACKREST_FILE].splitlines()
    assert "ca-file" not in files[pgbackrest.PGBACKREST_FILE]
    assert (settings["endpoint"], settings["authority"]) == ("s3.example.org:443", "")
    assert pgbackrest.CA_FILE not in files


def test_a_folder_is_no_endpoint(program: Any) -> None:
    _, settings = _written(BackupSpec())
    assert "endpoint" not in settings
    program("endpoint").check(program("settings").Settings(**settings))


def test_an_endpoint_out_of_reach_is_said_at_once(program: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        _, settings = _written(_bucket(endpoint=f"https://127.0.0.1:{port}"))
        with pytest.raises(program("programs").FailedError, match=f"127.0.0.1:{port}, is out of reach"):
            program("endpoint").check(program("settings").Settings(**settings))


NO_INFO = "[FormatError] unable to load info file '/x/backup.info' or '/x/backup.info.copy':\nFormatError: "


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (f"{NO_INFO}expected format 5 but found 6\nHINT: x", "format 6, this labelspace reads format 5"),
        (f"{NO_INFO}key/value found outside of section at line 1: \ufffd\x12", "the key does not open them"),
        ("[CryptoError] cipher header invalid", "the key does not open them"),
        ("[ProtocolError] HTTP request failed with 403 (Forbidden):\n*** Path/Query ***:", "403 (Forbidden)"),
        ("[CryptoError] unable to verify certificate presented by 's3'", "unable to verify certificate"),
    ],
)
def test_why_backups_cannot_be_read(program: Any, message: str, words: str) -> None:
    repository = {"status": {"code": 99, "message": message}}
    why = program("pgbackrest").repository_error(
        {"repo": [repository], "status": {"code": 99, "message": "other"}}
    )
    assert words in why
    assert "\n" not in why


def test_a_database_that_moved_to_a_place_with_backups_gets_one_at_once(
    program: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was archived to another location in between is missing here."""
    physical, last_repository, taken = program("physical"), program("last_repository"), list[str]()
    recorded = program("record").Record({})
    there = program("engine").Backup("id", "full", datetime.now(UTC), 1, 1, True, 1, recorded)
    monkeypatch.setattr(physical.pgbackrest, "prepare", lambda: None)
    monkeypatch.setattr(physical.pgbackrest, "info", dict)
    monkeypatch.setattr(physical.pgbackrest, "backups", lambda known: [there])
    monkeypatch.setattr(physical.Physical, "_timeline", lambda self: 1)
    monkeypatch.setattr(last_repository, "FILE", tmp_path / "last-place")

    def take(self: Any, kind: str) -> None:
        taken.append(kind)
        last_repository.write(self.settings, there)

    monkeypatch.setattr(physical.Physical, "take", take)
    folder, bucket = (program("settings").Settings(**_written(one)[1]) for one in (BackupSpec(), _bucket()))
    for place, count in ((folder, 1), (folder, 1), (bucket, 2), (folder, 3), (folder, 3)):
        physical.Physical(place).prepare()
        assert taken == ["incr"] * count
