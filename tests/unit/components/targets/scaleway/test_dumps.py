"""The program that dumps and drills on the server, without the programs it calls; with them: test_booted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labelspace.postgres.image.labelspace_backup import record as local
from labelspace.targets.scaleway.server_files.labelspace_dumps import drill, dump, programs, record

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
RECORDED: dict[str, Any] = {"counts": {"public.a": 2, 'public."B"': 0}, "migrations": "d1"}


def answers(sql: str) -> str:
    """A database with two tables of CVAT's."""
    if sql == record.TABLES:
        return f"public.a\n{record.MIGRATIONS}\n"
    if "count(*)" in sql:
        return f"public.a\t2\n{record.MIGRATIONS}\t31\n"
    return "d1\n" if sql == record.DIGEST else '{"engine": "0090"}\n'


def test_the_record_has_rows_and_migrations() -> None:
    counts = {"public.a": 2, record.MIGRATIONS: 31}
    assert record.take(answers) == {"counts": counts, "migrations": "d1", "latest": {"engine": "0090"}}


def test_a_database_without_tables_has_a_record_too() -> None:
    assert record.take(lambda _: "") == {"counts": {}, "migrations": "none", "latest": {}}


def test_the_same_is_asked_as_on_target_local() -> None:
    """A dump becomes a workspace of this machine; what proves both must mean the same."""
    names = [record.MIGRATIONS]
    assert local._digesting(names) == record.DIGEST
    assert record._counting(names) == local._counting(names)
    assert record.TABLES.strip(";\n") == local.TABLES.strip()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"counts": {"public.a": 1, 'public."B"': 0}}, "rows differ: public.a: 1 instead of 2"),
        ({"counts": {"public.a": 2}}, 'rows differ: public."B": missing instead of 0'),
        ({"counts": {**RECORDED["counts"], "public.c": 5}}, "rows differ: public.c: 5 instead of none"),
        ({"migrations": "d2"}, "other migrations"),
    ],
)
def test_what_differs_is_named_table_by_table(changed: dict[str, Any], said: str) -> None:
    found = record.differences(RECORDED, {**RECORDED, **changed})
    assert (said in found) if said else found == ""


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"public.a": 5, "public.new": 1}, ""),
        ({"public.a": 1, 'public."B"': 9}, "public.a: 1 instead of 2"),
        ({'public."B"': 0}, "public.a: the table is gone instead of 2"),
    ],
)
def test_a_migration_may_add_rows_and_lose_none(counts: dict[str, int], said: str) -> None:
    assert record.lost(RECORDED, {"counts": counts}) == said


def test_a_dump_without_a_record_is_counted_and_not_called_recorded() -> None:
    assert drill.judged(None, RECORDED) == {"recorded": False, "tables": 2, "rows": 2}
    assert drill.judged(RECORDED, RECORDED)["recorded"]


@pytest.mark.parametrize("expected", [None, {"counts": {}, "migrations": "none"}])
def test_an_empty_dump_proves_nothing(expected: dict[str, Any] | None) -> None:
    with pytest.raises(programs.FailedError, match="no rows"):
        drill.judged(expected, {"counts": {"public.a": 0}, "migrations": "none"})


@pytest.mark.parametrize(
    ("proof", "every", "is_due"),
    [
        (None, WEEK, True),
        (None, timedelta(), False),
        ((6, True), WEEK, False),
        ((7, True), WEEK, True),
        ((0.5, False), WEEK, False),
        ((1, False), WEEK, True),
        ((30, False), timedelta(), False),
    ],
)
def test_when_a_drill_is_due(proof: tuple[float, bool] | None, every: timedelta, is_due: bool) -> None:
    last = None
    if proof:
        last = {"when": (NOW - timedelta(days=proof[0])).isoformat(), "ok": proof[1]}
    assert drill.due(last, every, NOW) is is_due


def test_the_newest_proof_counts_and_what_is_none_stops_no_drill() -> None:
    proofs = [{"when": (NOW - timedelta(days=age)).isoformat(), "ok": True} for age in (3, 1, 2)]
    none = ["", "{", "[]", "3", '{"ok": true}', '{"ok": true, "when": "soon"}', '{"when": 3, "ok": true}']
    assert drill.newest([*none, *(json.dumps(proof) for proof in proofs)]) == proofs[1]
    assert drill.newest(none) is None


def test_no_dump_is_without_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is the first to be put; it has the digest of the very file."""
    put: list[tuple[str, bytes]] = []

    def dumped(into: Path) -> dict[str, Any]:
        into.write_bytes(b"PGDMP")
        return dict(RECORDED)

    monkeypatch.setattr(dump, "WORK", tmp_path)
    monkeypatch.setattr(dump, "_dumped", dumped)
    monkeypatch.setattr(dump, "put", lambda _, file, path: put.append((path, file.read_bytes())))
    where = dump.take({"BACKUP_BUCKET": "kept"})
    (first, text), (second, content) = put
    assert where == f"kept/{second}"
    assert (first, content) == (second.replace(".dump", ".json"), b"PGDMP")
    made = tmp_path / "again"
    made.write_bytes(content)
    assert json.loads(text)["sha256"] == dump.digest(made)
    assert [one.name for one in tmp_path.iterdir()] == ["again"], "nothing else is left on the disk"


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(programs.FailedError, match="no such thing"):
        programs.run("sh", "-c", "echo no such thing >&2; exit 1")


@pytest.mark.parametrize("before", ["", "read -r line; ", "sleep 0.2; "])
def test_a_database_that_refuses_ends_the_dump(
    before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = tmp_path / "refuses"
    refuses.write_text(f"#!/bin/sh\n{before}exit 2\n")
    refuses.chmod(0o755)
    monkeypatch.setattr(dump, "AT_THE_DATABASE", str(refuses))
    with pytest.raises(programs.FailedError, match="the database refuses"):
        dump._dumped(tmp_path / "dump")
