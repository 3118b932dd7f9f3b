"""What a dump must hold: rows by table, and a digest of CVAT's migrations; as on target local."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Ask = Callable[[str], str]
"""Answers SQL with lines, their columns parted by tabs."""
PSQL = (
    *("psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator=\t"),
    *("--set", "ON_ERROR_STOP=1"),
)
TABLES = """\
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1;
"""
MIGRATIONS = "public.django_migrations"
DIGEST = "select md5(string_agg(app || '.' || name, ',' order by app, name)) from django_migrations;\n"
LATEST = """\
select coalesce(json_object_agg(app, name order by app)::text, '{}')
from (select app, max(name) as name from django_migrations group by app) as each;
"""


def take(ask: Ask) -> dict[str, Any]:
    """Count, all in the transaction that ``ask`` is in."""
    tables = ask(TABLES).splitlines()
    begun = MIGRATIONS in tables
    return {
        "counts": _rows(ask(_counting(tables))) if tables else {},
        "migrations": ask(DIGEST).strip() if begun else "none",
        "latest": json.loads(ask(LATEST)) if begun else {},
    }


def differences(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """What of ``found`` is not as it was recorded, for people; empty when all is."""
    rows = _differing(expected["counts"], found["counts"])
    if rows:
        return f"rows differ: {'; '.join(rows[:5])}{' ...' if len(rows) > 5 else ''}"
    if expected["migrations"] != found["migrations"]:
        return "the restored database has other migrations than the one that was dumped"
    return ""


def _differing(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    return [
        f"{name}: {found.get(name, 'missing')} instead of {expected.get(name, 'none')}"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def lost(expected: dict[str, Any], found: dict[str, Any]) -> str:
    """Tables with fewer rows than were recorded, for people: more are a migration's right."""
    counts, recorded = found["counts"], expected["counts"]
    fewer = [
        f"{name}: {counts.get(name, 'the table is gone')} instead of {rows}"
        for name, rows in sorted(recorded.items())
        if rows and counts.get(name, 0) < rows
    ]
    return "; ".join(fewer[:5])


def _counting(tables: list[str]) -> str:
    each = [f"select '{name}', count(*) from {name}" for name in tables]  # noqa: S608 - quoted by PostgreSQL
    return " union all ".join(each) + ";\n"


def _rows(text: str) -> dict[str, int]:
    pairs = [line.rsplit("\t", 1) for line in text.splitlines() if line]
    return {name: int(number) for name, number in pairs}
