"""A backup: the database, its restore point with row counts, CVAT's files, in this order.

Files come last, so that every file which the database names is there.
"""

from __future__ import annotations

from typing import Any

from . import database, files, postgres, record
from .programs import alone
from .settings import Settings

COMMITTED = "select pg_current_xact_id();\nselect pg_switch_wal();\n"
"""A commit after the restore point, archived at once: any moment before it can be a restore's target."""


def take(settings: Settings, kind: str) -> dict[str, Any]:
    """Take a backup now; raises ``FailedError`` and leaves what was there before."""
    with alone():
        files.prepare(settings)
        backup = database.take(kind)
        complete(settings, backup.label)
    return {"id": backup.label, "kind": backup.kind, "size": backup.size, "added": backup.added}


def complete(settings: Settings, label: str) -> None:
    """Everything that follows pgBackRest's own part."""
    database.annotate(label, record.take(settings, label))
    postgres.ask(settings, COMMITTED)
    files.take(settings, label)
    files.forget_all_but(settings, {one.label for one in database.backups(database.info())})


def keep_as_it_is(settings: Settings, tag: str, folder: str) -> str:
    """Keep the folder of a database that cannot run; returns its tag."""
    files.prepare(settings)
    files.take_folder(settings, tag, folder)
    return tag


def first(settings: Settings) -> None:
    """The backup at a first start, and after a restore: before it nothing may be entrusted to the database.

    One that was interrupted after pgBackRest's part is completed: its restore point may come later.
    """
    known = database.backups(database.info())
    if not known:
        take(settings, "full")
    elif not any(one.record for one in known):
        with alone():
            files.prepare(settings)
            complete(settings, known[-1].label)
    elif max(one.timeline for one in known if one.record) < _timeline(settings):
        take(
            settings, "incr"
        )  # what follows a restore can be reached from a backup of its own timeline alone


def _timeline(settings: Settings) -> int:
    return int(postgres.ask(settings, "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), 16)
