"""The state of the backups, measured when asked: for ``labelspace status``, ``backups`` and the schedule."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from . import drill_results, endpoint, last_repository, restic, schedule
from .engine import Backup, Engine, rows
from .programs import FailedError, Json
from .settings import PLACE, Settings

NO_ARCHIVE = {"last_archived": None, "last_archived_at": None, "waiting_seconds": 0, "archive_fails": False}


def measure(engine: Engine) -> Json:
    """Everything at once; ``problems`` says what could not be measured, and why."""
    settings = engine.settings
    found: Json = {"backups": [], "problems": [], "now": time.time(), "drill": None}
    try:
        endpoint.check(settings)
        backups = engine.backups()
        found["backups"] = rows(backups, settings.max_shrink_percent)
        lost = engine.lost_backups(backups)
        found["problems"] += [lost] if lost else _lost_repository(settings, found["backups"])
        found["problems"] += [] if lost else _failed_step(backups)
    except (FailedError, ValueError) as error:
        found["problems"].append(f"the backups cannot be read: {error}{last_repository.newest(settings)}")
    try:
        found |= {**NO_ARCHIVE, **engine.archive()}
    except FailedError as error:
        found["problems"].append(f"the archive's state cannot be asked: {error}")
    found |= _disk(settings)
    found["drill"] = drill_results.newest(engine.drill_results.read())
    found["schedule"] = {
        "interval_hours": settings.interval_hours,
        "full_interval_days": settings.full_interval_days,
        "drill_interval_days": settings.drill_interval_days,
    }
    return found


def _failed_step(backups: list[Backup]) -> list[str]:
    reason = schedule.failure(max((one.stop for one in backups if one.complete), default=None))
    return [f"the last scheduled backup or drill failed: {reason}"] if reason else []


def _lost_repository(settings: Settings, backups: list[Json]) -> list[str]:
    """Only a folder is checked: a bucket would take seconds, and the next drill finds the loss."""
    folder = Path(settings.restic)
    if not folder.is_relative_to(PLACE) or not backups or (folder / "config").exists():
        return []
    return [
        "the copies of CVAT's files are gone: bring the folder `files` of the backups back, or take a backup"
        " (`labelspace backup NAME`), which copies the files that are there now"
    ]


def _disk(settings: Settings) -> Json:
    """Space in the folder of backups; unknown for a bucket."""
    if settings.endpoint or settings.bucket:
        return {"free_bytes": None, "used_percent": None}
    return {"free_bytes": shutil.disk_usage(PLACE).free, "used_percent": used_percent(PLACE)}


def used_percent(path: Path) -> float:
    """How full the disk of a folder is; as CVAT's health check, it leaves out blocks reserved for root."""
    usage = shutil.disk_usage(path)
    return round(100 * usage.used / (usage.used + usage.free), 1)


def listing(engine: Engine) -> list[Json]:
    """The backups, oldest first, each with its last drill's result and whether CVAT's files are in it."""
    listed = rows(engine.backups(), engine.settings.max_shrink_percent)
    if not listed:
        return []  # restic has no repository before the first
    found = {result["backup"]: result for result in engine.drill_results.read()}
    tags = restic.snapshots(engine.settings) if _has_files(engine.settings) else {}
    return [{**one, "files": one["id"] in tags, "proof": found.get(one["id"])} for one in listed]


def _has_files(settings: Settings) -> bool:
    """Whether the backups hold CVAT's files, and restic's repository was not lost."""
    return bool(settings.restic) and restic.exists(settings)
