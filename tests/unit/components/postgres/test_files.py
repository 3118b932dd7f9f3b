"""The record of CVAT's files: what shrank, what a drill misses, and what then stays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from labelspace.postgres.image.labelspace_backup import (
    engine,
    files,
    pgbackrest,
    physical,
    restic,
    settings,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def _record(count: int, size: int, keys: int = 1) -> files.Record:
    return {"data": files.Volume(count, size, f"{count}"), "keys": files.Volume(keys, 10 * keys, f"{keys}")}


@pytest.mark.parametrize(
    ("after", "volumes"),
    [
        (_record(10, 1000), []),
        (_record(5, 500), []),
        (_record(4, 900), ["data"]),
        (_record(10, 499), ["data"]),
        (_record(90, 9000, keys=0), ["keys"]),
        (_record(0, 0, keys=0), ["data", "keys"]),
    ],
)
def test_fewer_files_or_fewer_bytes_than_half_are_a_loss(after: files.Record, volumes: list[str]) -> None:
    shrunk = files.shrinkage(_record(10, 1000), after, 50)
    assert [name for name in ("data", "keys") if f"volume {name} holds" in shrunk] == volumes


def _backup(label: str, copied: files.Record | None, *, accepted: bool = False) -> engine.Backup:
    when = NOW + timedelta(hours=int(label))
    return engine.Backup(label, "incr", when, 1, 1, True, 1, None, copied, accepted=accepted)


FULL, EMPTY = _record(10, 1000), _record(1, 40)


@pytest.mark.parametrize(
    ("copied", "lost", "held"),
    [
        ([FULL, FULL], [], False),
        ([FULL, EMPTY], ["1"], True),
        ([FULL, EMPTY, EMPTY], ["1", "2"], True),
        ([FULL, EMPTY, FULL], ["1"], False),
        ([EMPTY, FULL], [], False),
        ([None, EMPTY], [], False),
        ([], [], False),
    ],
)
def test_nothing_expires_while_the_newest_backup_lacks_files(
    copied: list[files.Record | None], lost: list[str], held: bool
) -> None:
    backups = [_backup(str(number), one) for number, one in enumerate(copied)]
    assert list(engine.losses(backups, 50)) == lost
    assert engine.held(backups, 50) is held


def test_an_accepted_loss_is_the_new_measure() -> None:
    backups = [_backup("0", FULL), _backup("1", EMPTY, accepted=True), _backup("2", EMPTY)]
    assert engine.losses(backups, 50) == {}
    assert [row["shrunk"] for row in engine.rows(backups, 50)] == ["", "", ""]


def test_a_repository_that_began_anew_is_a_loss_until_it_is_accepted() -> None:
    first = replace(_backup("0", FULL), repository="r1")
    second, third = (replace(_backup(label, FULL), repository="r2") for label in "12")
    assert "copies of files up to 0 are gone" in engine.losses([first, second, third], 50)["1"]
    assert engine.held([first, second, third], 50)
    assert not engine.held([first, second, replace(third, accepted=True)], 50)


@pytest.mark.parametrize(("newest", "calls"), [(FULL, ["expire", "forget"]), (EMPTY, [])])
def test_the_engine_expires_nothing_after_a_loss(
    newest: files.Record, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    backups = [_backup("0", FULL), _backup("1", newest)]
    running = physical.Physical(settings.Settings("u", "d"))
    monkeypatch.setattr(physical.Physical, "backups", lambda _: backups)
    monkeypatch.setattr(pgbackrest, "expire", lambda: done.append("expire"))
    monkeypatch.setattr(restic, "forget_all_but", lambda *_: done.append("forget"))
    running._expire()
    assert done == calls


def _line(path: str, size: int, kind: str = "file") -> str:
    return json.dumps({"path": path, "size": size, "type": kind})


LISTING = [
    json.dumps({"struct_type": "snapshot", "paths": ["/cvat"]}),
    _line("/cvat/data/data/1/raw", 0, "dir"),
    _line("/cvat/data/data/1/raw/a b.png", 7),
    _line("/cvat/data/data/1/raw/c.png", 8),
    _line("/cvat/keys/secret", 3),
    _line("/var/lib/dump", 99),
]


def test_the_record_counts_files_of_the_volumes_alone() -> None:
    found = files.sizes(LISTING)
    taken = files.record(found, {"data": "id", "keys": ""})
    assert (taken["data"].count, taken["data"].bytes, taken["data"].identity) == (2, 15, "id")
    assert (taken["keys"].count, taken["keys"].bytes) == (1, 3)
    assert files.differences(taken, files.record(found, {})) == ""
    changed = {**found, "/cvat/keys/secret": 4}
    assert "volume keys holds 1 files of 4 bytes" in files.differences(taken, files.record(changed, {}))


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (["1\ta b.png\x01c.png"], ""),
        (["1\t"], ""),
        (["1\ta b.png\x01d.png"], "data 1 (1 files)"),
        (["1\tc.png", "2\t", "3\tx.png"], "data 2 (all files); data 3 (1 files)"),
        ([], ""),
    ],
)
def test_media_that_the_database_names_are_there(rows: list[str], missing: str) -> None:
    said = files.missing_media(rows, files.sizes(LISTING))
    assert said == (f"media of tasks are missing: {missing}" if missing else "")


def test_files_of_another_workspace_are_named() -> None:
    taken = files.record(files.sizes(LISTING), {"data": "id", "keys": "other"})
    assert files.foreign(taken, "id") == "the volume keys was empty or another one"
    assert files.foreign(taken, "") == ""
    assert files.foreign({}, "id") == ""
