"""The program in the image: backups that are gone from their bucket, and how their loss is accepted."""

from __future__ import annotations

import importlib
import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.postgres.pgbackrest import CONTEXT, secret_files
from labelspace.spec import BackupSpec

PLACE = "https://s3.example.org/kept/labelspace/street"
WHEN = datetime(2026, 11, 28, 8, tzinfo=UTC)


class _Bucket:
    """Labels of the backups in a bucket, and whether pgBackRest's stanza is there."""

    def __init__(self, backup: Any, info: Any) -> None:
        self.labels: list[str] = []
        self.stanza = False
        self.made = 0
        self._backup, self._info = backup, info

    def rows(self) -> list[Any]:
        return [self._backup(label, "full", WHEN, 1, 1, True, 1, self._info) for label in self.labels]

    def prepare(self) -> None:
        self.stanza = True

    def take(self, kind: str, *, throttled: bool = False) -> Any:
        assert self.stanza, "pgBackRest refuses: there is no stanza"
        self.made += 1
        self.labels.append(f"{self.made}-{kind}")
        return self.rows()[-1]

    def empty(self, *others: str) -> None:
        self.labels, self.stanza = [*others], bool(others)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The physical engine in the image with a bucket in memory; ``at`` makes it for another restic's URL."""
    monkeypatch.syspath_prepend(CONTEXT)
    names = ("engine", "last_repository", "physical", "programs", "record", "restore", "settings", "state")
    found = {name: importlib.import_module(f"labelspace_backup.{name}") for name in names}
    physical, settings = found["physical"], found["settings"]
    bucket = _Bucket(found["engine"].Backup, found["record"].Record({}, "m"))
    tools = SimpleNamespace(
        readable=dict,
        backups=lambda _: bucket.rows(),
        prepare=bucket.prepare,
        take=bucket.take,
        annotate=lambda label, notes: notes,
        expire=lambda: None,
        RECORD="record",
        FILES="files",
        REPOSITORY="repository",
        ACCEPTED="accepted",
    )
    copies = SimpleNamespace(
        prepare=lambda _: None,
        take=lambda *_, **__: None,
        record=lambda *_: {},
        identity=lambda _: "id",
        forget_all_but=lambda *_: None,
    )
    monkeypatch.setattr(physical, "pgbackrest", tools)
    monkeypatch.setattr(physical, "restic", copies)
    monkeypatch.setattr(physical, "exclusive", nullcontext)
    monkeypatch.setattr(physical.restore_point, "create", lambda *_: found["record"].Record({}, "m"))
    monkeypatch.setattr(physical.postgres, "asker", lambda *_: lambda _: "")
    monkeypatch.setattr(physical.gap, "began", lambda *_: None)
    monkeypatch.setattr(physical.Physical, "_timeline", lambda _: 1)
    monkeypatch.setattr(physical.Physical, "archive", lambda _: {})
    monkeypatch.setattr(found["last_repository"], "FILE", tmp_path / "labelspace-place")
    monkeypatch.setattr(found["state"].endpoint, "check", lambda _: None)
    monkeypatch.setattr(found["state"].schedule, "FAILURE", tmp_path / "failure")

    def at(place: str = PLACE, endpoint: str = "s3.example.org:443") -> Any:
        return physical.Physical(
            settings.Settings("u", "d", restic=f"s3:{place}/files", endpoint=endpoint, retention_days=7)
        )

    return SimpleNamespace(bucket=bucket, at=at, failed=found["programs"].FailedError, **found)


def _refused(program: Any, do: Any) -> str:
    with pytest.raises(program.failed) as raised:
        do()
    return str(raised.value)


def _sentence(holds: str = "no backups") -> str:
    return (
        f"the backups in {PLACE} are gone: it holds {holds}, and the newest was 2-incr of"
        " 2026-11-28T08:00:00+00:00: bring them back, or begin with new backups:"
        " `labelspace backups street --accept 2-incr`"
    )


@pytest.fixture
def engine(program: Any) -> Any:
    """An engine whose bucket held two backups."""
    engine = program.at()
    engine.prepare()
    engine.take("incr")
    assert program.bucket.labels == ["1-full", "2-incr"]
    return engine


def test_backups_that_are_there_are_continued(program: Any, engine: Any) -> None:
    engine.prepare()
    engine.take("incr")
    assert program.bucket.labels == ["1-full", "2-incr", "3-incr"]
    assert engine.lost_backups(engine.backups()) == ""


@pytest.mark.parametrize(("others", "holds"), [((), "no backups"), (("0-full",), "other backups")])
def test_no_new_backups_begin_in_a_bucket_without_the_earlier_ones(
    program: Any, engine: Any, others: tuple[str, ...], holds: str
) -> None:
    program.bucket.empty(*others)
    for refused in (engine.prepare, lambda: engine.take("full"), lambda: engine.accept("0-full")):
        assert _refused(program, refused) == _sentence(holds)
    assert (program.bucket.labels, program.bucket.stanza) == ([*others], bool(others))


def test_a_status_names_the_loss_once(
    program: Any, engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "drill_results", SimpleNamespace(read=list))
    assert program.state.measure(engine)["problems"] == []
    program.bucket.empty()
    (tmp_path / "failure").write_text("the same, from the schedule")
    assert program.state.measure(engine)["problems"] == [_sentence()]


def test_a_status_names_what_a_bucket_that_cannot_be_read_must_hold(
    program: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise program.failed("the key does not open them")

    monkeypatch.setattr(engine, "drill_results", SimpleNamespace(read=list))
    monkeypatch.setattr(program.physical.pgbackrest, "readable", refuse)
    assert program.state.measure(engine)["problems"] == [
        "the backups cannot be read: the key does not open them; the newest in"
        f" {PLACE} was 2-incr of 2026-11-28T08:00:00+00:00"
    ]


def test_what_another_database_left_is_removed_before_new_backups_begin(
    program: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise program.failed("they do not match the database")

    program.bucket.empty("0-full")
    monkeypatch.setattr(program.physical.pgbackrest, "prepare", refuse)
    assert _refused(program, lambda: engine.accept("2-incr")) == (
        f"they do not match the database: remove what is left in {PLACE}, then repeat the command"
    )
    assert _refused(program, engine.prepare) == _sentence("other backups")


def test_an_accepted_loss_begins_new_backups(program: Any, engine: Any) -> None:
    program.bucket.empty()
    engine.accept("2-incr")
    assert program.bucket.labels == ["3-full"]
    engine.prepare()
    engine.take("incr")
    assert program.bucket.labels == ["3-full", "4-incr"]
    assert engine.lost_backups(engine.backups()) == ""


def test_a_loss_is_accepted_while_the_database_is_stopped(program: Any, engine: Any) -> None:
    """``standing`` tells a start what an empty bucket held."""
    assert "is not the newest of backups that are gone" in _refused(
        program, lambda: engine.accept_loss("2-incr")
    )
    program.bucket.empty()
    assert program.restore.standing(engine.settings)["lost_backups"] == _sentence()
    assert "1-full is not the newest" in _refused(program, lambda: engine.accept_loss("1-full"))
    engine.accept_loss("2-incr")
    assert program.bucket.labels == []
    assert program.restore.standing(engine.settings)["lost_backups"] == ""
    engine.prepare()
    assert program.bucket.labels == ["3-full"]


def test_backups_that_move_need_no_acceptance(program: Any, engine: Any) -> None:
    program.bucket.empty()
    program.at("https://s3.example.org/other/labelspace/street").prepare()
    assert program.bucket.labels == ["3-full"]


def test_an_interrupted_acceptance_is_repeated(
    program: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.bucket.empty()

    def killed(*_: Any) -> None:
        raise program.failed("killed")

    with monkeypatch.context() as patch:
        patch.setattr(program.physical.restore_point, "create", killed)
        assert _refused(program, lambda: engine.accept("2-incr")) == "killed"
    assert _refused(program, engine.prepare) == _sentence("other backups")
    engine.accept("2-incr")
    assert program.bucket.labels == ["3-full", "4-full"]


@pytest.mark.parametrize("text", [f"s3:{PLACE}/files", "{", "{}", json.dumps({"other": 1})])
def test_an_unreadable_record_is_none(program: Any, text: str) -> None:
    program.last_repository.FILE.write_text(text)
    assert program.last_repository.read() is None


def test_a_lost_folder_is_found_by_the_commands(program: Any) -> None:
    engine = program.at(endpoint="")
    engine.prepare()
    program.bucket.empty()
    assert engine.lost_backups([]) == ""


def test_no_backup_holds_the_record(program: Any) -> None:
    lines = "".join(secret_files("street", BackupSpec(), "key").values()).splitlines()
    assert f"exclude={program.last_repository.FILE.name}" in lines
