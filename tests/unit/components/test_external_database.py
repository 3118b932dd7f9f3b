"""The settings of a database that the user brings, and what CVAT and the backup program get of them."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labelspace.container_spec import Service
from labelspace.given import Given
from labelspace.postgres import external, pgbackrest
from labelspace.spec import BackupSpec, ExternalDatabaseSpec, SpecError, parse_spec

URL = "postgresql://ann@db.example.org:5433/labels"


def _spec(**values: Any) -> ExternalDatabaseSpec:
    return ExternalDatabaseSpec.model_validate(
        {"host": "db.example.org", "password": "s3cret word", **values}
    )


def _refused(value: Any, target: str = "local") -> str:
    with pytest.raises(SpecError) as error:
        parse_spec(
            {"name": "street", "target": target, "buckets": [{"name": "photos"}], "external_database": value}
        )
    return str(error.value)


def test_a_connection_url_says_the_same_as_a_block() -> None:
    one = ExternalDatabaseSpec.model_validate("postgresql://ann:s3cret%20word@db.example.org:5433/labels")
    assert one == _spec(port=5433, user="ann", name="labels")
    assert one.url == f"{URL}?sslmode=verify-full"
    assert "s3cret" not in f"{one.url}{one.location}{one!r}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (URL, "external_database.password: missing"),
        ("https://db.example.org", "give a URL such as postgresql://"),
        ({"host": "localhost", "password": "x"}, "loopback"),
        ({"host": "127.0.0.1", "password": "x"}, "loopback"),
        ({"host": "a b", "password": "x"}, "give a host name"),
        ({"host": "db", "password": "x", "name": "a;b"}, "use a PostgreSQL name"),
        ({"host": "db.example.org", "password": "x", "sslmode": "disable"}, "is not a private"),
        ({"host": "8.8.8.8", "password": "x", "sslmode": "disable"}, "is not a private"),
        ({"host": "db.example.org", "password": "x", "sslmode": "require"}, "verify-full"),
        (
            {"host": "db", "password": "x", "sslmode": "disable", "ca_certificate": "PEM"},
            "nothing is verified",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_next_step(value: Any, said: str) -> None:
    assert said in _refused(value)


@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.1.9", "database", "db.corp.internal"])
def test_a_private_host_may_be_reached_in_the_clear_when_that_is_said(host: str) -> None:
    assert _spec(host=host, sslmode="disable").sslmode == "disable"
    assert _spec(host=host).sslmode == "verify-full"


def test_target_scaleway_refuses_it() -> None:
    assert "it is for target local" in _refused({"host": "db.example.org", "password": "x"}, "scaleway")


def test_the_password_is_in_the_service_file_alone() -> None:
    files = external.secret_files("street", BackupSpec(retention_days=9), "key", _spec(ca_certificate="PEM"))
    assert [path for path, text in files.items() if "s3cret word" in text] == [external.SERVICE_FILE]
    lines = files[external.SERVICE_FILE].splitlines()
    for line in ("[workspace]", "password=s3cret word", "sslmode=verify-full",
                 f"sslrootcert={external.DATABASE_CA_FILE}"):  # fmt: skip
        assert line in lines
    settings = json.loads(files[pgbackrest.SETTINGS_FILE])
    assert (settings["engine"], settings["workspace"], settings["retention_days"]) == ("logical", "street", 9)
    assert files[external.DATABASE_CA_FILE] == "PEM"


def test_cvats_containers_connect_by_it_and_no_other_container_does() -> None:
    cvat = Service("server", "image", 64, environment={"CVAT_POSTGRES_HOST": "cvat-db", "A": "1"})
    described = {"server": cvat, "redis": replace(cvat, name="redis", environment={})}
    connected = external.connect(described, Given.of(_spec(ca_certificate="PEM")))
    server = connected["server"]
    environment = {**server.environment, **server.late_environment}
    assert (environment["CVAT_POSTGRES_HOST"], environment["A"]) == ("db.example.org", "1")
    assert (environment["PGSSLMODE"], environment["PGSSLROOTCERT"]) == (
        "verify-full",
        external.DATABASE_CA_FILE,
    )
    assert [file.path for file in connected["server"].files] == [external.DATABASE_CA_FILE]
    assert connected["redis"] == described["redis"]
    assert external.connect(described, None) == described


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the program in the image, by its name."""
    monkeypatch.syspath_prepend(pgbackrest.CONTEXT)
    return lambda name: importlib.import_module(f"labelspace_backup.{name}")


@pytest.mark.parametrize(
    ("server", "said"), [(14, "is 14: CVAT needs 15 or later"), (16, "pg_dump"), (15, "")]
)
def test_another_version_of_postgresql_is_refused(program: Any, server: int, said: str) -> None:
    module, failed = program("external"), program("programs").FailedError
    if not said:
        module._check_version(server, 15)
        return
    with pytest.raises(failed, match=said):
        module._check_version(server, 15)


def test_a_dumps_record_travels_in_its_tags(program: Any) -> None:
    taken = program("record").Record({"public.a": 2}, "d1", {"engine": "0090"}, "5f")
    stored = program("client_container")
    copied = {"data": program("files").Volume(2, 10, "5f", "identity")}
    packed = {name: asdict(one) for name, one in copied.items()}
    tags = ["2026-11-24T10-00-00Z", "size=12", f"record={stored.pack(asdict(taken))}"]
    tags += [f"files={stored.pack(packed)}", "accepted=yes"]
    backup = stored.parse_tags(tags)
    assert (backup.label, backup.size, backup.record) == (tags[0], 12, taken)
    assert (backup.files, backup.accepted) == (copied, True)
    assert "," not in "".join(tags)


def test_the_retention_keeps_the_dump_before_its_first_moment(program: Any, monkeypatch: Any) -> None:
    stored, logical = program("client_container"), program("logical")
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    labels = [(now - timedelta(days=age)).strftime(logical.LABEL) for age in (9, 8, 6, 1)]
    made = [logical.of_label(label, 1, None) for label in labels]
    store = stored.ResticDumps(program("settings").Settings("u", "d", retention_days=7))
    monkeypatch.setattr(stored.ResticDumps, "backups", lambda self: made)
    assert store._retained(now) == set(labels[1:])
    assert store._retained(now + timedelta(days=90)) == {labels[-1]}
