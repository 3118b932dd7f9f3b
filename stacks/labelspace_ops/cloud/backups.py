"""Backups of a managed database on Scaleway: one on demand, and the table of snapshots and dumps."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace.scaleway.place import backup_bucket
from labelspace_ops import locks, state
from labelspace_ops.backups import Backups, Choice, Row
from labelspace_ops.cloud import account, copies, far, rows
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError


class Managed(Backups):
    """Dumps and snapshots of a database that Scaleway runs; the dumps are made on the server, over SSH."""

    latest = "the newest dump"
    any_moment = False

    def listing(self) -> list[Row]:
        """Snapshots and dumps together, newest last."""
        resources = state.resources(self.name, self.home)
        outputs, mine = state.exported(resources), account.of(self.name, self.home)
        found = rows.snapshots(mine, copies.database(resources))
        if outputs:
            found += self._dumps(mine, outputs)
        return sorted(found, key=lambda row: str(row["when"]))

    def _dumps(self, mine: account.Account, outputs: Row) -> list[Row]:
        """By Object Storage, or by the server when that lets this machine in and Object Storage does not."""
        try:
            s3 = mine.storage(outputs["region"], outputs.get("project", ""))
            bucket = backup_bucket(self.name, mine.project)
            return rows.with_proofs(rows.dumps(s3, bucket), rows.proofs(s3, bucket))
        except OpsError:
            if not far.lets_in(self.settings):
                raise
            server = far.server(self.name, self.home)
            return rows.with_proofs(far.dumps(server), far.proofs(server))

    def take(self, *, full: bool = False) -> Row:
        """A dump, which a restore can take, where the server lets this machine in; else a snapshot."""
        with locks.hold(self.home, self.name, "backing up"):
            there = far.lets_in(self.settings)
            taken = far.backup(far.server(self.name, self.home)) if there else self._snapshot()
        return {"name": self.name, **{key: taken[key] for key in ("id", "kind", "size", "added")}}

    def _snapshot(self) -> Row:
        database = copies.database(state.resources(self.name, self.home))
        if database is None:
            raise OpsError(f"{self.name}: it has no database: run `labelspace create {self.name}` again")
        mine = account.of(self.name, self.home)
        return rows.of_snapshot(copies.take(mine, database, f"labelspace-{self.name}"))

    def takes(self, row: Row) -> bool:
        """A snapshot becomes another instance, in Scaleway's console."""
        return bool(row["kind"] == "dump")

    def chosen(self, *, to: str = "", backup: str = "") -> Choice:
        """The dump, and that what came after it is lost."""
        dump = far.chosen(self._server(), to=to, backup=backup)
        return Choice(f"{dump['id']} (what was annotated since is lost)", backup=dump["id"], dump=dump)

    def restore(self, choice: Choice) -> Row:
        """What is there now is dumped first."""
        with locks.hold(self.home, self.name, "restoring"):
            return far.restore(self._server(), choice.dump)

    def drill(self, backup: str = "") -> Row:
        """In a scratch database on the server."""
        server = self._server()
        return far.drill(server, far.chosen(server, backup=backup))

    def _server(self) -> far.Server:
        """For what can be done there alone."""
        must_let_in(self.name, self.settings)
        return far.server(self.name, self.home)


def last_dump(name: str, home: Home, settings: dict[str, Any]) -> str:
    """The id of one more dump before the server goes, where it lets this machine in; else empty."""
    if not far.lets_in(settings):
        return ""
    try:
        return str(far.backup(far.server(name, home))["id"])
    except OpsError as error:
        say(f"  no last dump ({error})")
        return ""


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
