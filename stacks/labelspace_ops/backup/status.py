"""The backups in a status: their ages and what is wrong, measured at each call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from labelspace.home import Home
from labelspace_ops.backup import agent
from labelspace_ops.backup.models import UNKNOWN, BackupRow, BackupState, LostRange, Measured
from labelspace_ops.core import disk
from labelspace_ops.core.checks import LATE_FACTOR, Check, failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Runtime

WARN_PERCENT, FULL_PERCENT = 85, 90
"""CVAT's own health check fails at 90 % used (CVAT_HEALTH_DISK_USAGE_MAX)."""


def measure(
    runtime: Runtime, home: Home, disks: set[Path], *, inactive: bool, busy: bool
) -> tuple[BackupState, list[Check]]:
    """Return the status's ``backup`` object, and a failed check for each problem.

    ``inactive``: the workspace had its last backup when it stopped, so nothing is late. ``busy``: a command
    works on it, and nothing else opens its backups. ``disks``: folders whose disks must have space.
    """
    name = runtime.workspace
    warnings, checks = _disks(disks)
    running = agent.running_service(runtime)
    if busy and not running:
        return UNKNOWN.model_copy(update={"warnings": warnings}), []
    try:
        agent.encryption_key(name, home)
        state = agent.parse_state(
            agent.call_service(runtime, running, "state")
            if running
            else agent.run(runtime, agent.workspace_repository(name, home), "state")
        )
    except OpsError as error:
        problem = [] if inactive else [failed("backups", str(error))]
        return UNKNOWN.model_copy(update={"warnings": warnings}), problem
    problems = [] if inactive or not running else [*checks, *to_checks(name, state)]
    found = summary(state)
    return found.model_copy(update={"warnings": [*warnings, *(found.warnings or [])]}), problems


def to_checks(name: str, state: Measured) -> list[Check]:
    """Return a failed check for each reason why the annotations are less safe than scheduled."""
    complete = [row for row in state.backups if row.complete]
    checks = [failed("backups", problem) for problem in state.problems]
    checks += _archive(state)
    if not complete:
        return [*checks, failed("backups", "there is no complete backup"), *_failed_drill(state)]
    return [*checks, *_shrunk(name, complete[-1]), *_age(state, complete[-1]), *_drill(state, complete[0])]


def _archive(state: Measured) -> list[Check]:
    """Degraded long before the bound, and until a backup follows the changes that are lost."""
    cause = "is the place of the backups full, read-only or unreachable?"
    if state.lost_from:
        return [
            failed(
                "archive",
                f"too many changes wait for the archive, so those since {state.lost_from} cannot be restored:"
                f" {cause} When it works again, a full backup is taken and ends the lost range",
            )
        ]
    if not state.archive_fails:
        return []
    waiting, most = state.waiting_bytes / 1e6, state.max_waiting_bytes / 1e6
    return [
        failed(
            "archive",
            f"changes are not archived (waiting for {state.waiting_seconds} s, {waiting:.0f} MB; above"
            f" {most:.0f} MB, or half of the free disk, the oldest are given up): {cause}",
        )
    ]


def lost_ranges(rows: list[BackupRow], lost_from: str | None = None) -> list[LostRange]:
    """Return the times that no restore reaches; ``lost_from``: those after the newest backup."""
    found = [LostRange(since=row.lost_from, until=row.when) for row in rows if row.lost_from]
    return [*found, LostRange(since=lost_from, until=None)] if lost_from else found


def _shrunk(name: str, newest: BackupRow) -> list[Check]:
    """Repeated until the files are back, or somebody accepts their loss."""
    if not newest.shrunk:
        return []
    return [
        failed(
            "files",
            f"CVAT's files in backup {newest.id} are far fewer than before: {newest.shrunk}. No backup"
            f" expires until you decide: `labelspace restore {name}` brings the files back,"
            f" `labelspace backups {name} --accept {newest.id}` accepts their loss",
        )
    ]


def _age(state: Measured, newest: BackupRow) -> list[Check]:
    age, every = _hours(newest.when, state), state.schedule.interval_hours
    late = age > LATE_FACTOR * every
    return [failed("backups", f"the last is {age:.0f} h old, due every {every} h")] if late else []


def _drill(state: Measured, oldest: BackupRow) -> list[Check]:
    every = state.schedule.drill_interval_days
    age = _hours(state.drill.when if state.drill else oldest.when, state) / 24
    if _failed_drill(state) or not every or age <= LATE_FACTOR * every:
        return _failed_drill(state)
    return [failed("drill", f"the last is {age:.0f} days old, due every {every}")]


def _failed_drill(state: Measured) -> list[Check]:
    drill = state.drill
    if drill is None or drill.ok:
        return []
    return [failed("drill", f"the last one failed ({drill.backup}): {drill.reason}")]


def _hours(when: str, state: Measured) -> float:
    return (state.now - datetime.fromisoformat(when).timestamp()) / 3600


def summary(state: Measured) -> BackupState:
    """Return the ``backup`` object of a status."""
    newest = next((row for row in reversed(state.backups) if row.complete), None)
    lost = lost_ranges(state.backups, state.lost_from)
    return BackupState(
        copies=len(state.backups),
        last=_zulu(newest.when) if newest else None,
        last_id=newest.id if newest else None,
        last_archived=state.last_archived,
        last_archived_at=state.last_archived_at,
        free_bytes=state.free_bytes,
        used_percent=state.used_percent,
        drill=state.drill,
        lost=lost,
        warnings=[
            f"changes from {one.since} until {one.until} cannot be restored: too many waited for the archive"
            for one in lost
            if one.until
        ],
    )


def _zulu(when: str) -> str:
    return datetime.fromisoformat(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _disks(folders: set[Path]) -> tuple[list[str], list[Check]]:
    """Warn before CVAT's own health check fails."""
    warnings, checks = [], []
    for place, used, free in disk.usage(folders):
        text = f"{place} is {used:.0f} % full ({free / 1e9:.1f} GB free): free up space"
        if used > FULL_PERCENT:
            checks.append(failed("disk", f"{text}; above {FULL_PERCENT} % CVAT stops serving"))
        elif used > WARN_PERCENT:
            warnings.append(f"{text}; above {FULL_PERCENT} % CVAT stops serving")
    return warnings, checks
