"""Takes backups and drills when they are due; the container needs no cron of the host."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import drill, drill_results, endpoint
from .drill_results import DrillResult
from .engine import Backup, Engine
from .programs import FailedError

POLL_SECONDS = 60
RETRY_SECONDS = 600
"""After a backup or drill that could not be carried out."""
REPEAT_DRILL = timedelta(days=1)
"""After a drill that failed, the next follows sooner: there are other backups by then."""
FAILURE = Path("/tmp/pgbackrest/failure")  # noqa: S108 - inside the container
"""Why the last scheduled backup or drill could not be carried out."""
IN_USE = Path("/tmp/pgbackrest/in-use")  # noqa: S108 - inside the container


def due(
    engine: Engine, backups: list[Backup], result: DrillResult | None, migrations: str, now: datetime
) -> str:
    """The next step: ``full``, ``incr``, ``drill``, or nothing.

    After a drill that failed, a full backup: incremental ones would depend on the damaged one. A full backup
    also after a gap in the archive. After an upgrade, a backup at once: ``migrations`` is the digest of those
    of the running database.
    """
    settings = engine.settings
    whole = [one for one in backups if one.complete]
    fulls = [one for one in whole if one.kind in ("full", "dump")]
    if result and not result["ok"] and fulls and fulls[-1].stop < drill_results.when(result):
        return "full"
    if engine.has_gap():
        return "full"
    if not fulls or now - fulls[-1].stop >= timedelta(days=settings.full_interval_days):
        return "full"
    newest = whole[-1]
    if now - newest.stop >= timedelta(hours=settings.interval_hours):
        return "incr"
    if newest.record and newest.record.migrations != migrations:
        return "incr"
    first = None if engine.drills_at_once else whole[0].stop
    return "drill" if drill_due(result, timedelta(days=settings.drill_interval_days), now, first) else ""


def drill_due(
    result: DrillResult | None, interval: timedelta, now: datetime, first: datetime | None = None
) -> bool:
    """Whether a drill is due. An interval of zero: never.

    Without a result: ``interval`` after the ``first`` backup, at once when ``first`` is None.
    """
    if not interval:
        return False
    if result is None:
        return first is None or now - first >= interval
    return now - drill_results.when(result) >= (interval if result["ok"] else min(interval, REPEAT_DRILL))


def drill_when_due(engine: Engine) -> DrillResult | None:
    """Drill the newest backup when the schedule says so; returns the newest result there is then."""
    result = drill_results.newest(engine.drill_results.read())
    interval = timedelta(days=engine.settings.drill_interval_days)
    if drill_due(result, interval, datetime.now(UTC)) and engine.backups():
        return drill.run(engine)
    return result


def keep(engine: Engine) -> None:
    """Carry out the schedule for ever; the first backup was taken."""
    IN_USE.parent.mkdir(parents=True, exist_ok=True)
    IN_USE.touch()
    while True:
        time.sleep(POLL_SECONDS)
        try:
            _step(engine)
        except (FailedError, OSError, ValueError) as error:
            log(f"backup failed: {error}; tried again in {RETRY_SECONDS // 60} minutes")
            time.sleep(RETRY_SECONDS)


def _step(engine: Engine) -> None:
    endpoint.check(engine.settings)
    result = drill_results.newest(engine.drill_results.read())
    step = due(engine, engine.backups(), result, engine.migrations(), datetime.now(UTC))
    if step:
        _carry_out(engine, step)


def _carry_out(engine: Engine, step: str) -> None:
    """A failure is noted for the status until the step succeeds."""
    try:
        if step == "drill":
            result = drill.run(engine)
            log(f"drill of {result['backup']}: {'proven' if result['ok'] else 'FAILED: ' + result['reason']}")
        else:
            log(f"backup {engine.take(step, throttled=True).label} taken")
    except (FailedError, OSError, ValueError) as error:
        FAILURE.write_text(str(error))
        raise
    FAILURE.unlink(missing_ok=True)


def failure(newest: datetime | None) -> str:
    """Why the last scheduled step failed; empty when none did, or after a backup that ended later."""
    try:
        when, text = FAILURE.stat().st_mtime, FAILURE.read_text()
    except FileNotFoundError:
        return ""
    return "" if newest and newest.timestamp() > when else text


def log(text: str) -> None:
    """A line in the container's log."""
    sys.stderr.write(f"labelspace: {text}\n")
    sys.stderr.flush()
