"""The record of a backup: rows per table and a digest of CVAT's migrations.

They are counted in the transaction that sets the backup's restore point.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .programs import Json
from .session import Ask

MARK_TABLE = "labelspace_workspace"
"""Names the workspace that uses an external database; no backup holds it."""
TABLES = f"""\
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') and tablename <> '{MARK_TABLE}' order by 1;
"""  # noqa: S608 - a constant
MIGRATIONS = "public.django_migrations"
DIGEST = "select md5(string_agg(app || '.' || name, ',' order by app, name)) from django_migrations;\n"
LATEST = """\
select coalesce(json_object_agg(app, name order by app)::text, '{}')
from (select app, max(name) as name from django_migrations group by app) as each;
"""
APPLIED = "select app || '.' || name from django_migrations order by 1;\n"

COLUMNS = f"""\
select quote_ident(table_schema) || '.' || quote_ident(table_name), column_name
from information_schema.columns
where table_schema not in ('pg_catalog', 'information_schema') and table_name <> '{MARK_TABLE}' order by 1, 2;
"""  # noqa: S608 - a constant


@dataclass(frozen=True)
class Record:
    """What a database held: rows by table, the digest of its migrations, each app's last migration."""

    counts: dict[str, int]
    migrations: str = "none"
    latest: dict[str, str] | None = None
    sha256: str = ""
    """Of a dump's file; empty for the physical engine."""

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.counts.values())


def parse(values: Json) -> Record:
    """A record as it was written; raises ``KeyError`` or ``TypeError`` for another object."""
    counts = {str(name): int(rows) for name, rows in values["counts"].items()}
    return Record(counts, values["migrations"], values.get("latest") or {}, values.get("sha256", ""))


def tables(ask: Ask) -> list[str]:
    """Every table of users, quoted, with its schema."""
    return ask(TABLES).splitlines()


def take(ask: Ask, names: list[str] | None = None) -> Record:
    """Count in the transaction of ``ask``; ``names``: the tables, where the caller has locked them."""
    names = tables(ask) if names is None else names
    if MIGRATIONS not in names:
        return Record(counts(ask, names), "none", {})
    return Record(counts(ask, names), ask(DIGEST).strip(), json.loads(ask(LATEST)))


def counts(ask: Ask, names: list[str]) -> dict[str, int]:
    """Rows by table."""
    each = [f"select '{name}', count(*) from {name}" for name in names]  # noqa: S608 - quoted by PostgreSQL
    pairs = [line.rsplit("\t", 1) for line in ask(" union all ".join(each)).splitlines()] if each else []
    return {name: int(number) for name, number in pairs}


def columns(ask: Ask) -> dict[str, list[str]]:
    """Names of columns by table."""
    found: dict[str, list[str]] = {}
    for line in ask(COLUMNS).splitlines():
        table, column = line.split("\t")
        found.setdefault(table, []).append(column)
    return found


def migrations(ask: Ask) -> str:
    """The digest of the applied migrations; ``none`` before CVAT's first."""
    return ask(DIGEST).strip() if MIGRATIONS in tables(ask) else "none"


def latest(ask: Ask) -> dict[str, str]:
    """The last applied migration of each app; empty before CVAT's first."""
    found: dict[str, str] = json.loads(ask(LATEST)) if MIGRATIONS in tables(ask) else {}
    return found


def applied(ask: Ask) -> list[str]:
    """Every applied migration as ``app.name``."""
    return ask(APPLIED).splitlines() if MIGRATIONS in tables(ask) else []


def differences(expected: Record, found: Record) -> str:
    """How a restored database differs from its record; empty when it does not."""
    rows = [
        f"{name}: {found.counts.get(name, 'missing')} instead of {expected.counts.get(name, 'none')}"
        for name in sorted(expected.counts.keys() | found.counts.keys())
        if expected.counts.get(name) != found.counts.get(name)
    ]
    if rows:
        return f"rows differ: {'; '.join(rows[:5])}{' ...' if len(rows) > 5 else ''}"
    if expected.migrations != found.migrations:
        return "the restored database has other migrations than the one that was backed up"
    return ""


def lost(expected: Record, found: Record) -> str:
    """Tables that have fewer rows than recorded; a migration may add rows."""
    fewer = [
        f"{name}: {found.counts.get(name, 'the table is gone')} instead of {rows}"
        for name, rows in sorted(expected.counts.items())
        if rows and found.counts.get(name, 0) < rows
    ]
    return "; ".join(fewer[:5])


def newer_migrations(latest: dict[str, str], known: list[str]) -> list[str]:
    """Migrations of a database that a version of CVAT with the migrations ``known`` lacks."""
    apps = {name.split(".")[0] for name in known}
    return [f"{app}.{name}" for app, name in latest.items() if app in apps and f"{app}.{name}" not in known]
