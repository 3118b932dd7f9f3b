"""What is true of the backups now: for ``labelspace status``, ``backups`` and the schedule."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from typing import Any

from . import database, drill, endpoint, files, postgres
from .programs import FailedError
from .settings import DATA, PLACE, Settings

LATE_SECONDS = 60
"""A finished segment that waits longer than this for its archive is late."""
ARCHIVER = """\
select coalesce(extract(epoch from last_archived_time), 0), coalesce(extract(epoch from last_failed_time), 0),
coalesce(last_archived_wal, '') from pg_stat_archiver
"""


def measure(settings: Settings) -> dict[str, Any]:
    """Everything at once; what cannot be asked says why under ``problems``."""
    found: dict[str, Any] = {"backups": [], "problems": [], "now": time.time()}
    try:
        endpoint.must_answer(settings)
        known = database.info()
        found["backups"] = [_row(one) for one in database.backups(known)]
        found["trouble"] = database.trouble(known)
    except (FailedError, ValueError) as error:
        found["problems"].append(f"the backups cannot be read: {error}")
    try:
        found |= archive(settings)
    except FailedError as error:
        found["problems"].append(f"the archive's state cannot be asked: {error}")
    found |= _room(settings)
    found["drill"] = drill.last()
    found["schedule"] = {
        "interval_hours": settings.interval_hours,
        "full_interval_days": settings.full_interval_days,
        "drill_interval_days": settings.drill_interval_days,
    }
    return found


def _room(settings: Settings) -> dict[str, Any]:
    """What is left where the backups go; of a bucket nobody knows."""
    if settings.endpoint:
        return {"free_bytes": None, "used_percent": None}
    usage = shutil.disk_usage(PLACE)
    return {"free_bytes": usage.free, "used_percent": round(100 - 100 * usage.free / usage.total, 1)}


def listing(settings: Settings) -> list[dict[str, Any]]:
    """The backups, oldest first, each with its proof and whether CVAT's files are there."""
    rows = [_row(one) for one in database.backups(database.readable())]
    if not rows:
        return []  # restic has no repository before the first
    proofs = drill.all_proofs()
    tags = files.snapshots(settings)
    return [{**row, "files": row["id"] in tags, "proof": proofs.get(row["id"])} for row in rows]


def archive(settings: Settings) -> dict[str, Any]:
    """The last archived segment, and how long the oldest finished one has waited (seconds)."""
    archived, failed, name = postgres.ask(settings, ARCHIVER).split("\t")
    waiting = [path.stat().st_mtime for path in (DATA / "pg_wal" / "archive_status").glob("*.ready")]
    return {
        "last_archived": name[:24] or None,  # a backup's own mark has a suffix
        "last_archived_at": _iso(float(archived)),
        "waiting_seconds": round(time.time() - min(waiting)) if waiting else 0,
        "archive_fails": float(failed) > float(archived) or bool(waiting and _late(min(waiting))),
    }


def _late(since: float) -> bool:
    return time.time() - since > LATE_SECONDS


def _iso(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None


def _row(one: database.Backup) -> dict[str, Any]:
    return {
        "id": one.label,
        "kind": one.kind,
        "when": one.stop.isoformat(timespec="seconds"),
        "size": one.size,
        "added": one.added,
        "complete": one.record is not None,
        "timeline": one.timeline,
        "rows": sum(one.record["counts"].values()) if one.record else None,
        "latest": one.record.get("latest", {}) if one.record else {},
    }
