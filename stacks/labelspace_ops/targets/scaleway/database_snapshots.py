"""Snapshots of the managed database; they outlive it and are billed until they expire."""

from __future__ import annotations

from dataclasses import dataclass

from labelspace.targets.scaleway.prices import SNAPSHOT_GB
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Answer, Snapshot
from labelspace_ops.targets.scaleway.retained import DATABASE, GB, Resources, place_and_id, resources_of_type

PATIENCE_SECONDS = 1800
POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Database:
    """A managed database of a stack; ``id`` has no region prefix."""

    region: str
    id: str

    @property
    def path(self) -> str:
        """The API's path of the databases of its region."""
        return f"/rdb/v1/regions/{self.region}"


def database(resources: Resources) -> Database | None:
    """Return the managed database of a stack; None before it is created."""
    found = resources_of_type(resources, DATABASE)
    if not found:
        return None
    return Database(*place_and_id(found[0]))


def is_gone(account: Account, managed: Database) -> bool:
    """Return whether the database no longer exists at Scaleway."""
    return account.get_or_none(f"{managed.path}/instances/{managed.id}", Answer) is None


def snapshots(account: Account, managed: Database) -> list[Snapshot]:
    """Return all snapshots of the database, automated or not, newest last."""
    rows = account.list_all(f"{managed.path}/snapshots", "snapshots", Snapshot, instance_id=managed.id)
    return sorted(rows, key=lambda row: row.created_at)


def has_snapshots(account: Account, region: str, project: str, instance: str) -> bool:
    """Return whether the project has snapshots of an instance of this name, which may be deleted already."""
    rows = account.list_all(f"/rdb/v1/regions/{region}/snapshots", "snapshots", Snapshot, project_id=project)
    return any(row.instance_name == instance for row in rows)


def take_snapshot(account: Account, managed: Database, name: str) -> Snapshot:
    """Take a snapshot and wait until it is ready; raises ``OpsError`` when it is refused or fails."""
    begun = account.post(f"{managed.path}/instances/{managed.id}/snapshots", {"name": name}, Snapshot)

    def finished() -> Snapshot | None:
        row = account.get(f"{managed.path}/snapshots/{begun.id}", Snapshot)
        return None if row.status == "creating" else row

    row = wait_until(
        finished,
        timeout=PATIENCE_SECONDS,
        interval=POLL_SECONDS,
        on_timeout=f"snapshot {begun.id} is not ready after {PATIENCE_SECONDS // 60} minutes",
    )
    if row.status != "ready":
        raise OpsError(f"snapshot {row.id} is {row.status}")
    return row


def retained_text(rows: list[Snapshot]) -> list[str]:
    """Describe the snapshots that stay and their cost; an empty list when there are none."""
    if not rows:
        return []
    size = sum(row.size or 0 for row in rows) / GB
    until = max((row.expires_at or "for ever") for row in rows)[:10]
    price = size * SNAPSHOT_GB
    return [f"{len(rows)} snapshots of the database ({price:.2f} EUR a month, the last until {until})"]
