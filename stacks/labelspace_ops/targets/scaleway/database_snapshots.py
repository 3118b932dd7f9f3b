"""Snapshots of the managed database, by Scaleway's API: they outlive it, and are paid until they expire."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from labelspace.targets.scaleway.prices import SNAPSHOT_GB
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.retained import DATABASE, GB, Resources, resources_of_type

Row = dict[str, Any]
PATIENCE_SECONDS = 1800
LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True)
class Database:
    """A managed database of a stack: ids are bare."""

    region: str
    id: str

    @property
    def path(self) -> str:
        """Where the API has its region's databases."""
        return f"/rdb/v1/regions/{self.region}"


def database(resources: Resources) -> Database | None:
    """The one of a stack; None before it is made."""
    found = resources_of_type(resources, DATABASE)
    if not found:
        return None
    region, _, identity = str(found[0]["id"]).partition("/")
    return Database(region, identity)


def is_gone(mine: Account, one: Database) -> bool:
    """Whether somebody removed it by hand."""
    return mine.get_or_none(f"{one.path}/instances/{one.id}") is None


def snapshots(mine: Account, one: Database) -> list[Row]:
    """All of them, automated or not, newest last."""
    rows = mine.list_all(f"{one.path}/snapshots", "snapshots", instance_id=one.id)
    return sorted(rows, key=lambda row: str(row["created_at"]))


def has_snapshots(mine: Account, region: str, project: str, instance: str) -> bool:
    """Whether snapshots of an instance of a name are there, which they are also when it is gone."""
    rows = mine.list_all(f"/rdb/v1/regions/{region}/snapshots", "snapshots", project_id=project)
    return any(row["instance_name"] == instance for row in rows)


def take_snapshot(mine: Account, one: Database, name: str) -> Row:
    """A snapshot now; ends when it is ready, raises ``OpsError`` when it is refused or fails."""
    row: Row = mine.post(f"{one.path}/instances/{one.id}/snapshots", {"name": name})
    pause, deadline = 0.5, time.monotonic() + PATIENCE_SECONDS
    while row["status"] == "creating":
        if time.monotonic() > deadline:
            raise OpsError(f"snapshot {row['id']} is not ready after {PATIENCE_SECONDS // 60} minutes")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        row = mine.get(f"{one.path}/snapshots/{row['id']}")
    if row["status"] != "ready":
        raise OpsError(f"snapshot {row['id']} is {row['status']}")
    return row


def retained_text(rows: list[Row]) -> list[str]:
    """What stays of snapshots and what it costs, for people; nothing for none."""
    if not rows:
        return []
    size = sum(int(row["size"] or 0) for row in rows) / GB
    until = max(str(row["expires_at"] or "for ever") for row in rows)[:10]
    price = size * SNAPSHOT_GB
    return [f"{len(rows)} snapshots of the database ({price:.2f} EUR a month, the last until {until})"]
