"""What a backup must hold: row counts, taken in the transaction that sets the backup's restore point."""

from __future__ import annotations

import json
import random
import re
import time
from datetime import UTC, datetime
from typing import Any

from . import postgres
from .programs import FailedError
from .settings import Settings

ATTEMPTS = 120
LOCKED = re.compile(r'could not obtain lock on relation "([^"]+)"')
BUSY = (LOCKED.pattern, "lock timeout", "does not exist", "deadlock")
"""A table that is written to, or comes or goes just now."""
TABLES = """\
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1
"""


def point(label: str) -> str:
    """The name of a backup's restore point."""
    return f"labelspace-{label}"


def target(label: str) -> list[str]:
    """What pgBackRest needs to end a restore exactly there."""
    return ["--type=name", f"--target={point(label)}", "--target-action=promote"]


def take(settings: Settings, label: str) -> dict[str, Any]:
    """Set the restore point and count; ``counts`` is rows by table at exactly that point of the log."""
    busiest = ""
    for attempt in range(ATTEMPTS):
        try:
            return _once(settings, label, busiest)
        except FailedError as error:
            if attempt == ATTEMPTS - 1 or not any(re.search(sign, str(error)) for sign in BUSY):
                raise
            named = LOCKED.search(str(error))
            busiest = named[1] if named else busiest
            time.sleep(0.2 + random.random())  # noqa: S311 - out of step with whoever writes
    raise AssertionError


def counts(settings: Settings, socket: str) -> dict[str, int]:
    """Rows by table of the server at ``socket``."""
    return _rows(postgres.ask(settings, _counting(tables(settings, socket)), socket))


def tables(settings: Settings, socket: str = postgres.RUNNING) -> list[str]:
    """Every table of a user's, quoted, with its schema."""
    return postgres.ask(settings, TABLES, socket).splitlines()


def migrations(settings: Settings, socket: str) -> str:
    """A digest of the applied migrations of CVAT; ``none`` before its first start."""
    return postgres.ask(settings, _digesting(tables(settings, socket)), socket)


def applied(settings: Settings, socket: str) -> list[str]:
    """Every applied migration of CVAT, as ``app.name``."""
    if "public.django_migrations" not in tables(settings, socket):
        return []
    asked = "select app || '.' || name from django_migrations order by app, name"
    return postgres.ask(settings, asked, socket).splitlines()


def latest(settings: Settings, socket: str) -> dict[str, str]:
    """The last applied migration of each app of CVAT."""
    found: dict[str, str] = json.loads(postgres.ask(settings, _latest(tables(settings, socket)), socket))
    return found


def _once(settings: Settings, label: str, busiest: str) -> dict[str, Any]:
    """The locks hold writers for the moment in which snapshot and restore point are made one, no longer:
    going back to the savepoint frees them, and the counting goes on in the snapshot."""
    names = tables(settings)
    said = postgres.ask(
        settings,
        f"""\
set lock_timeout = '500ms';
set deadlock_timeout = '100ms';
begin isolation level repeatable read;
savepoint quiet;
{_locks(names, busiest)}
select pg_create_restore_point('{point(label)}');
rollback to savepoint quiet;
{_digesting(names)}
{_latest(names)}
{_counting(names)}
commit;
""",
    )
    first, digest, latest, *rows = said.splitlines()
    return {
        "lsn": first,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "counts": _rows("\n".join(rows)),
        "migrations": digest,
        "latest": json.loads(latest),
    }


def _locks(names: list[str], busiest: str) -> str:
    """Only the first lock is waited for, while none is held: so no writer of several tables ever ends in a
    deadlock with a backup. Which of its tables was busy decides what is waited for next time."""
    if not names:
        return ""
    first, *rest = sorted(names, key=lambda name: name.replace('"', "") != busiest)
    others = f"lock table {', '.join(rest)} in share mode nowait;" if rest else ""
    return f"lock table {first} in share mode;\n{others}"


def _digesting(names: list[str]) -> str:
    if "public.django_migrations" not in names:
        return "select 'none';\n"
    return "select md5(string_agg(app || '.' || name, ',' order by app, name)) from django_migrations;\n"


def _latest(names: list[str]) -> str:
    """The last applied migration of each app: what a version of CVAT must know to run on the backup."""
    if "public.django_migrations" not in names:
        return "select '{}';\n"
    each = "select app, max(name) as name from django_migrations group by app"
    return f"select coalesce(json_object_agg(app, name order by app)::text, '{{}}') from ({each}) as each;\n"  # noqa: S608


def _counting(names: list[str]) -> str:
    each = [f"select '{name}', count(*) from {name}" for name in names]  # noqa: S608 - quoted by PostgreSQL
    return " union all ".join(each) + ";\n" if each else ""


def _rows(text: str) -> dict[str, int]:
    pairs = [line.rsplit("\t", 1) for line in text.splitlines() if line]
    return {name: int(number) for name, number in pairs}
