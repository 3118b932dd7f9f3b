"""Backups of a workspace on Scaleway: a snapshot on demand, and the table of snapshots and dumps."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace.scaleway.place import backup_bucket
from labelspace_ops import locks, state
from labelspace_ops.cloud import account, copies, rows
from labelspace_ops.errors import OpsError, UsageError

BY_HAND = {
    "restore": "a dump (`labelspace backups {name}`) is brought back by hand, on the server over SSH from"
    " `scaleway.admin_cidrs`, with pg_restore; a snapshot becomes another instance in Scaleway's console",
    "drill": "restore a dump (`labelspace backups {name}`) into a PostgreSQL of this machine with pg_restore",
}
"""What to do instead of a command that acts inside of a workspace on this machine."""


def refuse(verb: str, name: str) -> None:
    """Say what to do instead of ``verb``."""
    instead = BY_HAND[verb].format(name=name)
    raise UsageError(f"{verb}: not on scaleway in this version: {instead} (docs/scaleway.md)")


def backup(name: str, home: Home) -> dict[str, Any]:
    """Take a snapshot of the database now; ends when it is ready."""
    database = copies.database(state.resources(name, home))
    if database is None:
        raise OpsError(f"{name}: it has no database: run `labelspace create {name}` again")
    with locks.hold(home, name, "backing up"):
        taken = rows.of_snapshot(copies.take(account.of(name, home), database, f"labelspace-{name}"))
    return {"name": name, **{key: taken[key] for key in ("id", "kind", "size", "added")}}


def listing(name: str, home: Home) -> list[dict[str, Any]]:
    """Snapshots and dumps together, newest last."""
    resources = state.resources(name, home)
    outputs, mine = state.exported(resources), account.of(name, home)
    found = rows.snapshots(mine, copies.database(resources))
    if outputs:
        s3 = mine.storage(outputs["region"], outputs.get("project", ""))
        found += rows.dumps(s3, backup_bucket(name, mine.project))
    return sorted(found, key=lambda row: str(row["when"]))
