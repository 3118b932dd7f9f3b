"""Backups and drills when they are due, without a cron of the host: the container keeps its own time."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import backup, database, drill
from .programs import FailedError
from .settings import Settings

POLL_SECONDS = 60
AGAIN_AFTER_SECONDS = 600
"""A failed backup or drill is tried again after this long."""
IN_USE = Path("/tmp/pgbackrest/in-use")  # noqa: S108 - inside the container


def due(
    settings: Settings, backups: list[database.Backup], proof: dict[str, Any] | None, now: datetime
) -> str:
    """What to do now: ``full``, ``incr``, ``drill``, or nothing."""
    whole = [one for one in backups if one.record]
    fulls = [one for one in whole if one.kind == "full"]
    if not fulls or now - fulls[-1].stop >= timedelta(days=settings.full_every_days):
        return "full"
    if now - whole[-1].stop >= timedelta(hours=settings.every_hours):
        return "incr"
    every = timedelta(days=settings.drill_every_days)
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
    what = due(settings, database.backups(database.info()), drill.last(), datetime.now(UTC))
    if what == "drill":
        proof = drill.run(settings)
        say(f"drill of {proof['backup']}: {'proven' if proof['ok'] else 'FAILED: ' + proof['reason']}")
    elif what:
        say(f"backup {backup.take(settings, what)['id']} taken")


def say(text: str) -> None:
    """A line in the container's log."""
    sys.stderr.write(f"labelspace: {text}\n")
    sys.stderr.flush()
