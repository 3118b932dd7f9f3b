"""The restore point of a physical backup, and the record taken in the same transaction."""

from __future__ import annotations

import random
import re
import time

from . import postgres, record
from .programs import FailedError
from .session import Ask, session
from .settings import Settings

ATTEMPTS = 120
LOCKED = re.compile(r'could not obtain lock on relation "([^"]+)"')
BUSY = (LOCKED.pattern, "lock timeout", "does not exist", "deadlock")
"""Errors of a table that is being written, created or dropped."""
BEGIN = """\
set lock_timeout = '500ms';
set deadlock_timeout = '100ms';
begin isolation level repeatable read;
savepoint quiet
"""


def name(label: str) -> str:
    """The name of a backup's restore point."""
    return f"labelspace-{label}"


def target(label: str) -> list[str]:
    """pgBackRest's options that end a restore exactly there."""
    return ["--type=name", f"--target={name(label)}", "--target-action=promote"]


def create(settings: Settings, label: str) -> record.Record:
    """Create the restore point; the record counts the rows at exactly that point of the WAL."""
    busiest = ""
    for attempt in range(ATTEMPTS):
        try:
            with session(postgres.psql(settings), user="postgres") as ask:
                return _create(ask, label, busiest)
        except FailedError as error:
            if attempt == ATTEMPTS - 1 or not any(re.search(sign, str(error)) for sign in BUSY):
                raise
            named = LOCKED.search(str(error))
            busiest = named[1] if named else busiest
            time.sleep(0.2 + random.random())  # noqa: S311 - so that it does not keep step with a writer
    raise AssertionError


def _create(ask: Ask, label: str, busiest: str) -> record.Record:
    """Locks stop writers only while snapshot and restore point are made: going back to the savepoint frees
    them, and the counting continues in the snapshot."""
    names = record.tables(ask)
    ask(BEGIN)
    for statement in _locks(names, busiest):
        ask(statement)
    ask(f"select pg_create_restore_point('{name(label)}')")
    ask("rollback to savepoint quiet")
    taken = record.take(ask, names)
    ask("commit")
    return taken


def _locks(names: list[str], busiest: str) -> list[str]:
    """Only the first lock is waited for, while no other is held: so a backup never ends a writer of several
    tables by a deadlock. The table that was busy is the one that is waited for next time."""
    if not names:
        return []
    first, *rest = sorted(names, key=lambda one: one.replace('"', "") != busiest)
    others = [f"lock table {', '.join(rest)} in share mode nowait"] if rest else []
    return [f"lock table {first} in share mode", *others]
