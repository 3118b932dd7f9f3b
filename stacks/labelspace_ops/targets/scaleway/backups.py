"""Backups of a managed database on Scaleway: one on demand, and the table of snapshots and dumps."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace.targets.scaleway.context import backup_bucket
from labelspace_ops.backup.base import Backups, RestorePoint
from labelspace_ops.backup.models import BackupRow, BackupTaken, Proof, Restored
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import account, database_snapshots, formatting
from labelspace_ops.targets.scaleway import ssh as server_ssh


class Managed(Backups):
    """Dumps and snapshots of a database that Scaleway runs; the dumps are made on the server, over SSH."""

    latest = "the newest dump"
    any_moment = False

    def listing(self) -> list[BackupRow]:
        """Snapshots and dumps together, newest last."""
        resources = state.resources(self.name, self.home)
        outputs, mine = state.stack_outputs(resources), account.for_workspace(self.name, self.home)
        found = formatting.list_snapshots(mine, database_snapshots.database(resources))
        if outputs:
            found += self._dumps(mine, outputs)
        return sorted(found, key=lambda row: row.when)

    def _dumps(self, mine: account.Account, outputs: dict[str, Any]) -> list[BackupRow]:
        """By Object Storage, or by the server when that lets this machine in and Object Storage does not."""
        try:
            s3 = mine.storage(outputs["region"], outputs.get("project", ""))
            bucket = backup_bucket(self.name, mine.project)
            return formatting.with_proofs(
                formatting.list_dumps(s3, bucket), formatting.list_proofs(s3, bucket)
            )
        except OpsError:
            if not server_ssh.ssh_allowed(self.settings):
                raise
            server = server_ssh.server_of(self.name, self.home)
            return server_ssh.dumps(server)

    def take(self, *, full: bool = False) -> BackupTaken:
        """A dump, which a restore can take, where the server lets this machine in; else a snapshot."""
        with locks.hold(self.home, self.name, "backing up"):
            if server_ssh.ssh_allowed(self.settings):
                return server_ssh.backup(server_ssh.server_of(self.name, self.home))
            row = self._snapshot()
        return BackupTaken(name=self.name, id=row.id, kind=row.kind, size=row.size, added=row.added)

    def _snapshot(self) -> BackupRow:
        database = database_snapshots.database(state.resources(self.name, self.home))
        if database is None:
            raise OpsError(f"{self.name}: it has no database: run `labelspace create {self.name}` again")
        mine = account.for_workspace(self.name, self.home)
        return formatting.snapshot_row(
            database_snapshots.take_snapshot(mine, database, f"labelspace-{self.name}")
        )

    def takes(self, row: BackupRow) -> bool:
        """A snapshot becomes another instance, in Scaleway's console."""
        return row.is_dump

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """The dump, and that what came after it is lost."""
        dump = server_ssh.select_dump(self._server(), to=to, backup=backup)
        return RestorePoint(f"{dump.id} (what was annotated since is lost)", backup=dump.id, dump=dump)

    def restore(self, choice: RestorePoint) -> Restored:
        """What is there now is dumped first."""
        with locks.hold(self.home, self.name, "restoring"):
            server = self._server()
            dump = choice.dump or server_ssh.select_dump(server, to=choice.to, backup=choice.backup)
            return server_ssh.restore(server, dump)

    def drill(self, backup: str = "") -> Proof:
        """In a scratch database on the server."""
        server = self._server()
        return server_ssh.drill(server, server_ssh.select_dump(server, backup=backup))

    def _server(self) -> server_ssh.Server:
        """For what can be done there alone."""
        must_let_in(self.name, self.settings)
        return server_ssh.server_of(self.name, self.home)


def last_dump(name: str, home: Home, settings: dict[str, Any]) -> str:
    """The id of one more dump before the server goes, where it lets this machine in; else empty."""
    if not server_ssh.ssh_allowed(settings):
        return ""
    try:
        return server_ssh.backup(server_ssh.server_of(name, home)).id
    except OpsError as error:
        message(f"  no last dump ({error})")
        return ""


def must_let_in(name: str, settings: dict[str, Any]) -> None:
    """Raise ``UsageError`` when nobody is let in, ``OpsError`` when nobody is there."""
    if not settings.get("scaleway", {}).get("ssh_cidrs"):
        raise UsageError(
            f"{name}: this is done on the server, over SSH, and scaleway.ssh_cidrs lets nobody in:"
            f" `labelspace set {name} scaleway.ssh_cidrs=NETWORK` (yours, such as 203.0.113.7/32; several"
            " with commas); it gets another server, data and URL stay"
        )
    if not server_ssh.ssh_allowed(settings):
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")
