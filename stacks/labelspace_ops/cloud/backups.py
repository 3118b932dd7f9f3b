"""Backups of a managed database on Scaleway: one on demand, and the table of snapshots and dumps."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace.scaleway.place import backup_bucket
from labelspace_ops import locks, stack, state
from labelspace_ops.cloud import account, copies, far, rows
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError


def backup(name: str, home: Home) -> dict[str, Any]:
    """A dump, which a restore can take, where the server lets this machine in; else a snapshot."""
    settings = stack.read_settings(stack.select(name, home))
    with locks.hold(home, name, "backing up"):
        taken = far.backup(far.server(name, home)) if far.lets_in(settings) else _snapshot(name, home)
    return {"name": name, **{key: taken[key] for key in ("id", "kind", "size", "added")}}


def _snapshot(name: str, home: Home) -> dict[str, Any]:
    database = copies.database(state.resources(name, home))
    if database is None:
        raise OpsError(f"{name}: it has no database: run `labelspace create {name}` again")
    return rows.of_snapshot(copies.take(account.of(name, home), database, f"labelspace-{name}"))


def last_dump(name: str, home: Home, settings: dict[str, Any]) -> str:
    """The id of one more dump before the server goes, where it lets this machine in; else empty."""
    if not far.lets_in(settings):
        return ""
    try:
        return str(far.backup(far.server(name, home))["id"])
    except OpsError as error:
        say(f"  no last dump ({error})")
        return ""


def _inside(name: str, home: Home) -> far.Server:
    """The server, for what can be done there alone."""
    must_let_in(name, stack.read_settings(stack.select(name, home)))
    return far.server(name, home)


def must_let_in(name: str, settings: dict[str, Any]) -> None:
    """Raise ``UsageError`` when nobody is let in, ``OpsError`` when nobody is there."""
    if not settings.get("scaleway", {}).get("admin_cidrs"):
        raise UsageError(
            f"{name}: this is done on the server, over SSH, and scaleway.admin_cidrs lets nobody in:"
            f" `labelspace set {name} scaleway.admin_cidrs=NETWORK` (yours, such as 203.0.113.7/32; several"
            " with commas); it gets another server, data and URL stay"
        )
    if not far.lets_in(settings):
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")


def chosen(name: str, home: Home, *, to: str, backup: str) -> dict[str, Any]:
    """The dump that a restore would take."""
    return far.chosen(_inside(name, home), to=to, backup=backup)


def restore(name: str, home: Home, dump: dict[str, Any]) -> dict[str, Any]:
    """Bring the annotations to a dump, as ``chosen`` gave it; what is there now is dumped first."""
    with locks.hold(home, name, "restoring"):
        return far.restore(_inside(name, home), dump)


def drill(name: str, home: Home, dump: str) -> dict[str, Any]:
    """Prove a dump, by default the newest, in a scratch database on the server."""
    server = _inside(name, home)
    return far.drill(server, far.chosen(server, backup=dump))


def listing(name: str, home: Home) -> list[dict[str, Any]]:
    """Snapshots and dumps together, newest last."""
    resources = state.resources(name, home)
    outputs, mine = state.exported(resources), account.of(name, home)
    found = rows.snapshots(mine, copies.database(resources))
    if outputs:
        found += _dumps(name, home, mine, outputs)
    return sorted(found, key=lambda row: str(row["when"]))


def _dumps(name: str, home: Home, mine: account.Account, outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """By Object Storage, or by the server when that lets this machine in and Object Storage does not."""
    try:
        s3 = mine.storage(outputs["region"], outputs.get("project", ""))
        bucket = backup_bucket(name, mine.project)
        return rows.with_proofs(rows.dumps(s3, bucket), rows.proofs(s3, bucket))
    except OpsError:
        if not far.lets_in(stack.read_settings(stack.select(name, home))):
            raise
        server = far.server(name, home)
        return rows.with_proofs(far.dumps(server), far.proofs(server))
