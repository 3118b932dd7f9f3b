"""A backup: the database, its restore point with row counts, CVAT's files, in this order.

Files come last, so that every file which the database names is there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from . import database, files, postgres, record
from .programs import FailedError, alone
from .settings import DATA, PLACE, Settings

PROBE_BYTES = 2**20
LAST_PLACE = DATA / "labelspace-place"
"""Where the database's changes were archived last."""
COMMITTED = "select pg_current_xact_id();\nselect pg_switch_wal();\n"
"""A commit after the restore point, archived at once: any moment before it can be a restore's target."""


def take(settings: Settings, kind: str, *, gently: bool = False) -> dict[str, Any]:
    """Take a backup now; raises ``FailedError`` and leaves what was there before.

    ``gently``: at a fraction of the pace, as people annotate meanwhile.
    """
    with alone():
        _must_be_writable(settings)
        database.readable()
        files.prepare(settings)
        backup = database.take(kind, gently=gently)
        complete(settings, backup.label, gently=gently)
    return {"id": backup.label, "kind": backup.kind, "size": backup.size, "added": backup.added}


def _must_be_writable(settings: Settings) -> None:
    """Said at once: restic would try for a quarter of an hour."""
    if not settings.restic.startswith(str(PLACE)):
        return
    probe = PLACE / ".probe"
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        raise FailedError(f"the place of the backups cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            probe.unlink()


def complete(settings: Settings, label: str, *, gently: bool = False) -> None:
    """Everything that follows pgBackRest's own part."""
    database.annotate(label, record.take(settings, label))
    postgres.ask(settings, COMMITTED)
    files.take(settings, label, gently=gently)
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
    elif max(one.timeline for one in known if one.record) < _timeline(settings) or _moved(settings):
        # What follows a restore can be reached from a backup of its own timeline alone, and what was archived
        # in another place from none that is here.
        take(settings, "incr")
    LAST_PLACE.write_text(settings.restic)


def _moved(settings: Settings) -> bool:
    return not LAST_PLACE.exists() or LAST_PLACE.read_text() != settings.restic


def _timeline(settings: Settings) -> int:
    return int(postgres.ask(settings, "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"), 16)
