"""The logical engine and the parts of the backup program that both engines share, without the programs that
they call; with those: test_booted."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labelspace.postgres.image.labelspace_backup import (
    client_server,
    drill,
    drill_results,
    logical,
    programs,
    record,
    schedule,
    settings,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
RECORDED = record.Record({"public.a": 2, 'public."B"': 0}, "d1")


def answers(sql: str) -> str:
    """A database with two tables of CVAT's."""
    if sql == record.TABLES:
        return f"public.a\n{record.MIGRATIONS}\n"
    if "count(*)" in sql:
        return f"public.a\t2\n{record.MIGRATIONS}\t31\n"
    return "d1\n" if sql == record.DIGEST else '{"engine": "0090"}\n'


def test_the_record_has_rows_and_migrations() -> None:
    counts = {"public.a": 2, record.MIGRATIONS: 31}
    assert record.take(answers) == record.Record(counts, "d1", {"engine": "0090"})


def test_a_database_without_tables_has_a_record_too() -> None:
    assert record.take(lambda _: "") == record.Record({}, "none", {})


def test_a_record_is_read_as_it_was_written() -> None:
    taken = record.Record({"public.a": 2}, "d1", {"engine": "0090"}, "5f")
    assert record.parse(json.loads(json.dumps(asdict(taken)))) == taken


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"counts": {"public.a": 1, 'public."B"': 0}}, "rows differ: public.a: 1 instead of 2"),
        ({"counts": {"public.a": 2}}, 'rows differ: public."B": missing instead of 0'),
        ({"counts": {**RECORDED.counts, "public.c": 5}}, "rows differ: public.c: 5 instead of none"),
        ({"migrations": "d2"}, "other migrations"),
    ],
)
def test_what_differs_is_named_table_by_table(changed: dict[str, Any], said: str) -> None:
    found = record.differences(RECORDED, replace(RECORDED, **changed))
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
    assert record.lost(RECORDED, record.Record(counts)) == said


def test_a_dump_without_a_record_is_counted_and_not_called_recorded() -> None:
    figures = drill.compare(None, RECORDED, allows_empty=False)
    assert figures == {"recorded": False, "tables": 2, "rows": 2}
    assert drill.compare(RECORDED, RECORDED, allows_empty=False)["recorded"]


@pytest.mark.parametrize("expected", [None, record.Record({})])
def test_an_empty_dump_proves_nothing(expected: record.Record | None) -> None:
    assert not logical.Logical.allows_empty
    with pytest.raises(programs.FailedError, match="no rows"):
        drill.compare(expected, record.Record({"public.a": 0}), allows_empty=False)


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
    assert schedule.drill_due(last, every, NOW) is is_due


def test_the_newest_proof_counts_and_what_is_none_stops_no_drill() -> None:
    made = [{"when": (NOW - timedelta(days=age)).isoformat(), "ok": True} for age in (3, 1, 2)]
    none = ["", "{", "[]", "3", '{"ok": true}', '{"ok": true, "when": "soon"}', '{"when": 3, "ok": true}']
    assert drill_results.newest(drill_results.parse([*none, *(json.dumps(one) for one in made)])) == made[1]
    assert drill_results.newest(drill_results.parse(none)) is None


class Bucket(client_server.Bucket):
    """Remembers what is put into it."""

    def __init__(self) -> None:
        super().__init__("kept")
        self.content: list[tuple[str, bytes]] = []

    def put(self, file: Path, path: str) -> None:
        self.content.append((path, file.read_bytes()))


class LocalContext(client_server.ServerContext):
    """Works in ``work``; its client program is ``client``."""

    def __init__(self, work: Path, client: str = "") -> None:
        super().__init__("image")
        self.work, self._client = work, client

    def client(self, *words: str) -> list[str]:
        return [self._client, *words]


def engine(context: LocalContext, bucket: Bucket) -> logical.Logical:
    some = settings.Settings("cvat", "cvat", engine="logical", bucket="kept")
    return logical.Logical(
        some, context, client_server.BucketDumps(bucket), client_server.BucketDrillResults(bucket)
    )


def test_dumps_are_listed_oldest_first_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("2026-11-24T11-00-00Z.dump", "2026-11-24T10-00-00Z.dump", "2026-11-24T10-00-00Z.json")
    monkeypatch.setattr(Bucket, "sizes", lambda *_: {name: size for size, name in enumerate(names)})
    found = client_server.BucketDumps(Bucket()).backups()
    assert [(one.label, one.size) for one in found] == [
        ("2026-11-24T10-00-00Z", 1),
        ("2026-11-24T11-00-00Z", 0),
    ]


def test_no_dump_is_without_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is the first to be put; it has the digest of the very file."""

    def dumped(_: logical.Logical, into: Path) -> record.Record:
        into.write_bytes(b"PGDMP")
        return RECORDED

    monkeypatch.setattr(logical.Logical, "dump", dumped)
    bucket = Bucket()
    taken = engine(LocalContext(tmp_path), bucket).take()
    (first, text), (second, content) = bucket.content
    assert second == f"dumps/{taken.label}.dump"
    assert (first, content) == (second.replace(".dump", ".json"), b"PGDMP")
    made = tmp_path / "again"
    made.write_bytes(content)
    assert json.loads(text)["sha256"] == logical.digest(made)
    assert [one.name for one in tmp_path.iterdir()] == ["again"], "nothing else is left on the disk"


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(programs.FailedError, match="no such thing"):
        programs.run(["sh", "-c", "echo no such thing >&2; exit 1"], user="root")


@pytest.mark.parametrize("before", ["", "read -r line; ", "sleep 0.2; "])
def test_a_database_that_refuses_ends_the_dump(before: str, tmp_path: Path) -> None:
    refuses = tmp_path / "refuses"
    refuses.write_text(f"#!/bin/sh\n{before}echo wrong password >&2; exit 2\n")
    refuses.chmod(0o755)
    with pytest.raises(programs.FailedError, match="the database refuses: wrong password"):
        engine(LocalContext(tmp_path, str(refuses)), Bucket()).dump(tmp_path / "dump")
