"""What the status says of the backups: ages and reasons, measured when asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import docker

from labelspace.home import Home
from labelspace_ops.backup import agent
from labelspace_ops.backup.models import UNKNOWN, BackupState, Proof
from labelspace_ops.core import disk
from labelspace_ops.core.checks import LATE_FACTOR, Check, failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine

WARN_PERCENT, FULL_PERCENT = 85, 90
"""CVAT's own health fails at 90 % used (CVAT_HEALTH_DISK_USAGE_MAX)."""


def measure(
    client: docker.DockerClient, name: str, home: Home, *, at_rest: bool, busy: bool
) -> tuple[BackupState, list[Check]]:
    """The status's ``backup`` object, and a check for each thing that is not as it must be.

    A workspace at rest had its last backup when it stopped: nothing of it is late. While a command works on
    one that is ``busy``, nobody else opens its backups.
    """
    warnings, checks = _disks(client, home, name)
    running = agent.database(client, name)
    if busy and not running:
        return UNKNOWN.model_copy(update={"warnings": warnings}), []
    try:
        agent.encryption_key(name, home)
        state = agent.call(running, "state") if running else _apart(client, name, home)
    except OpsError as error:
        reasons = [] if at_rest else [failed("backups", str(error))]
        return UNKNOWN.model_copy(update={"warnings": warnings}), reasons
    reasons = [] if at_rest or not running else [*checks, *to_checks(name, state)]
    return summary(state).model_copy(update={"warnings": warnings}), reasons


def _apart(client: docker.DockerClient, name: str, home: Home) -> Any:
    """Of a database that does not run; the settings, slow to read, say where its backups are."""
    return agent.call_in_new_container(client, agent.workspace_repository(name, home), "state")


def to_checks(name: str, state: dict[str, Any]) -> list[Check]:
    """One failed check for each reason why the annotations are less safe than the schedule promises."""
    reasons = [failed("backups", problem) for problem in state["problems"]]
    if state.get("archive_fails"):
        late = state["waiting_seconds"]
        reasons.append(
            failed("archive", f"changes are not archived (waiting for {late} s): is the place of the backups"
                   " full, read-only or unreachable?")
        )  # fmt: skip
    return [*reasons, *_shrunk(name, state["backups"]), *_ages(state)]


def _shrunk(name: str, rows: list[dict[str, Any]]) -> list[Check]:
    """Files that the newest backup lacks are said until they are back, or somebody accepts their loss."""
    whole = [row for row in rows if row["complete"]]
    if not whole or not whole[-1].get("shrunk"):
        return []
    newest = whole[-1]
    return [
        failed(
            "files",
            f"backup {newest['id']} has far fewer of CVAT's files than before: {newest['shrunk']}. No backup"
            f" expires until you decide: `labelspace restore {name}` brings the files back,"
            f" `labelspace backups {name} --accept {newest['id']}` accepts their loss",
        )
    ]


def _ages(state: dict[str, Any]) -> list[Check]:
    whole = [row for row in state["backups"] if row["complete"]]
    schedule, drill = state["schedule"], state["drill"]
    reasons = []
    if not whole:
        reasons.append(failed("backups", "there is no complete backup"))
    else:
        age = _hours(whole[-1]["when"], state)
        if age > LATE_FACTOR * schedule["interval_hours"]:
            reasons.append(
                failed("backups", f"the last is {age:.0f} h old, due every {schedule['interval_hours']} h")
            )
    if drill and not drill["ok"]:
        reasons.append(failed("drill", f"the last one failed ({drill['backup']}): {drill['reason']}"))
    elif schedule["drill_interval_days"] and whole:
        age = _hours(drill["when"] if drill else whole[0]["when"], state) / 24
        if age > LATE_FACTOR * schedule["drill_interval_days"]:
            reasons.append(
                failed(
                    "drill", f"the last is {age:.0f} days old, due every {schedule['drill_interval_days']}"
                )
            )
    return reasons


def _hours(when: str, state: dict[str, Any]) -> float:
    return float(state["now"] - datetime.fromisoformat(when).timestamp()) / 3600


def summary(state: dict[str, Any]) -> BackupState:
    """The ``backup`` object of a status, from what the program measured."""
    whole = [row for row in state["backups"] if row["complete"]]
    return BackupState(
        copies=len(state["backups"]),
        last=_zulu(whole[-1]["when"]) if whole else None,
        last_id=whole[-1]["id"] if whole else None,
        last_archived=state.get("last_archived"),
        last_archived_at=state.get("last_archived_at"),
        free_bytes=state["free_bytes"],
        used_percent=state["used_percent"],
        drill=Proof.read(state["drill"]) if state["drill"] else None,
    )


def _zulu(when: str) -> str:
    return datetime.fromisoformat(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _disks(client: docker.DockerClient, home: Home, name: str) -> tuple[list[str], list[Check]]:
    """The disks of the engine and of the backups, each said before CVAT itself fails."""
    warnings, checks = [], []
    for place, used, free in disk.usage({docker_engine.data_folder(client), home.backups / name}):
        said = f"{place} is {used:.0f} % full ({free / 1e9:.1f} GB free): make room"
        if used > FULL_PERCENT:
            checks.append(failed("disk", f"{said}; above {FULL_PERCENT} % CVAT stops serving"))
        elif used > WARN_PERCENT:
            warnings.append(f"{said}; above {FULL_PERCENT} % CVAT stops serving")
    return warnings, checks
