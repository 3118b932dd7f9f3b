"""Backups and drills when they are due, without a cron of the host: the container keeps its own time."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import backup, database, drill, endpoint, postgres, record
from .programs import FailedError
from .settings import Settings

POLL_SECONDS = 60
AGAIN_AFTER_SECONDS = 600
"""A failed backup or drill is tried again after this long."""
IN_USE = Path("/tmp/pgbackrest/in-use")  # noqa: S108 - inside the container


def due(
    settings: Settings,
    backups: list[database.Backup],
    proof: dict[str, Any] | None,
    migrations: str,
    now: datetime,
) -> str:
    """What to do now: ``full``, ``incr``, ``drill``, or nothing.

    After a drill that failed a full one: others would lean on what is damaged. After an upgrade one at once:
    ``migrations`` is the digest of those that the running database has.
    """
    whole = [one for one in backups if one.record]
    fulls = [one for one in whole if one.kind == "full"]
    if proof and not proof["ok"] and fulls and fulls[-1].stop < datetime.fromisoformat(proof["when"]):
        return "full"
    if not fulls or now - fulls[-1].stop >= timedelta(days=settings.full_interval_days):
        return "full"
    if now - whole[-1].stop >= timedelta(hours=settings.interval_hours):
        return "incr"
    if (whole[-1].record or {}).get("migrations") != migrations:
        return "incr"
    every = timedelta(days=settings.drill_interval_days)
    proven = datetime.fromisoformat(proof["when"]) if proof else whole[0].stop
    return "drill" if every and now - proven >= every else ""


def keep(settings: Settings) -> None:
    """Put the archive to use, then go on for ever; raises ``FailedError`` only before that."""
    database.prepare()
    backup.first(settings)
    IN_USE.touch()
    while True:
        time.sleep(POLL_SECONDS)
        try:
            _one(settings)
        except (FailedError, OSError, ValueError) as error:
            say(f"backup failed: {error}; tried again in {AGAIN_AFTER_SECONDS // 60} minutes")
            time.sleep(AGAIN_AFTER_SECONDS)


def _one(settings: Settings) -> None:
    endpoint.must_answer(settings)
    migrations = record.migrations(settings, postgres.RUNNING)
    known = database.backups(database.info())
    what = due(settings, known, drill.last(), migrations, datetime.now(UTC))
    if what == "drill":
        proof = drill.run(settings)
        say(f"drill of {proof['backup']}: {'proven' if proof['ok'] else 'FAILED: ' + proof['reason']}")
    elif what:
        say(f"backup {backup.take(settings, what, gently=True)['id']} taken")


def say(text: str) -> None:
    """A line in the container's log."""
    sys.stderr.write(f"labelspace: {text}\n")
    sys.stderr.flush()
