"""A repository that is full: the database goes on, the disk does not fill, and the lost range is recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from tests.e2e.components.database import PSQL, build_image, running, shell

from labelspace.postgres import pgbackrest
from labelspace.spec import BackupSpec

BACKUP = BackupSpec(max_unarchived_mb=64, archive_timeout_seconds=5)
SEGMENT = 16 * 2**20
FILLER = f"{pgbackrest.REPOSITORY}/filler"


@pytest.fixture(scope="module")
def database() -> Iterator[Any]:
    """A database whose repository is a small disk of its own."""
    build_image()
    with running(BACKUP, 128) as made:
        yield made


def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(1)


def _state(database: Any) -> Any:
    return json.loads(shell(database, "python3 -m labelspace_backup state").splitlines()[-1])


def _write(database: Any, number: int) -> None:
    """A row, in a segment of its own."""
    insert = f"insert into written values ({number})"  # noqa: S608 - a number
    shell(database, f"{PSQL} '{insert}' -c 'select pg_switch_wal()' >/dev/null")


def _waiting(database: Any) -> int:
    return int(shell(database, "ls $PGDATA/pg_wal/archive_status | grep -c ready || true"))


def test_a_full_repository_costs_a_range_of_changes_and_never_the_database(database: Any) -> None:
    shell(database, f"{PSQL} 'create table written (id int)'")
    _write(database, 0)
    _until(lambda: _waiting(database) == 0, "archived")
    before = _state(database)
    assert (before["lost_from"], before["archive_fails"]) == (None, False)

    shell(database, f"cat /dev/zero >{FILLER} || true")
    for number in range(1, 4):
        _write(database, number)
    _until(lambda: _state(database)["archive_fails"], "the state says that changes wait")
    early = _state(database)
    assert early["lost_from"] is None
    assert 0 < early["waiting_bytes"] <= early["max_waiting_bytes"]

    for number in range(4, 15):
        _write(database, number)
    _until(lambda: _state(database)["lost_from"] is not None, "the oldest changes are given up")
    _until(lambda: _waiting(database) * SEGMENT <= BACKUP.max_unarchived_mb * 2**20, "the bound holds")
    lost = _state(database)
    assert before["now"] - 10 < datetime.fromisoformat(lost["lost_from"]).timestamp() < lost["now"]
    assert lost["last_archived"] is None
    assert shell(database, f"{PSQL} 'table written'").split() == [str(number) for number in range(15)]

    known = [row["id"] for row in lost["backups"]]
    shell(database, f"rm {FILLER}")
    _until(lambda: len(_state(database)["backups"]) > len(known), "a backup is taken by itself")
    _until(lambda: _state(database)["lost_from"] is None, "the gap is closed")
    newest = _state(database)["backups"][-1]
    assert (newest["kind"], newest["lost_from"]) == ("full", lost["lost_from"])
    proof = json.loads(shell(database, "python3 -m labelspace_backup drill").splitlines()[-1])
    assert proof["backup"] == newest["id"]
    assert "no rows" in proof["reason"] or proof["ok"], proof
