"""A database on the server: asked as this machine's is, at the server's engine, which is reached over SSH."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from labelspace.home import Home
from labelspace.naming import resource_name
from labelspace.postgres.pgbackrest import AUTHORITIES
from labelspace.spec import ScalewaySpec, Settings, validate
from labelspace.targets.scaleway import database_on_server
from labelspace.targets.scaleway.context import endpoint
from labelspace_ops.backup import agent, final_backup, restore, upgrade
from labelspace_ops.backup.base import AgentBackups, RestorePoint
from labelspace_ops.backup.models import BackupRow, Restored
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import account, backups, repository, retained
from labelspace_ops.targets.scaleway import ssh as server_ssh

NETWORK = "labelspace_default"
"""Compose's name of the network of the server's containers (``scaleway.boot``)."""
UNIT = "labelspace.service"
KEY = "scaleway:iam/apiKey:ApiKey"
Reached = tuple[Runtime, agent.Repository]


def has_own_database(settings: Settings) -> bool:
    """Whether a workspace has its database on its server, by its settings."""
    return bool(settings.get("target") == "scaleway" and _of(settings).get("database") == "server")


def _of(settings: Settings) -> Settings:
    return dict(settings.get("scaleway") or {})


def server_repository(spec: ScalewaySpec, resources: retained.Resources) -> agent.Repository:
    """The repository as the server reaches it, with the keys that work from there alone.

    By what was made, not by the stack's outputs: an update leaves none when it waits in vain for a database
    that wants to be restored first.
    """
    keys, region = _made(spec.name, resources, KEY), spec.scaleway.region
    backups_of = [
        one
        for one in retained.resources_of_type(resources, retained.BUCKET)
        if _keeps_backups(one, spec.name)
    ]
    name = str(_made(spec.name, backups_of, retained.BUCKET)["name"])
    bucket = database_on_server.backup_bucket(
        name, region, endpoint(region), keys["accessKey"], keys["secretKey"]
    )
    return agent.Repository(
        spec.name,
        resource_name(spec.name, database_on_server.BACKUPS_VOLUME),
        spec.backup.model_copy(update={"bucket": bucket}),
        database_on_server.encryption_key(spec),
        network=NETWORK,
        authorities=AUTHORITIES,
    )


def _made(name: str, resources: retained.Resources, kind: str) -> state.Properties:
    """What is known of the one of a kind; raises ``OpsError`` when it was never made."""
    found = retained.resources_of_type(resources, kind)
    if not found:
        raise OpsError(f"{name}: it was never made completely: run `labelspace create {name}` again")
    return found[0].outputs


def _keeps_backups(bucket: state.Resource, name: str) -> bool:
    said = str(bucket.outputs.get("name"))
    return bool(re.fullmatch(f"{resource_name(name, '[0-9a-f]{8}')}-backups", said))


@contextmanager
def connect(name: str, home: Home) -> Iterator[Reached]:
    """The server's engine and the repository; raises ``UsageError`` when SSH is not allowed."""
    settings = stack.read_settings(stack.select(name, home))
    backups.require_ssh(name, settings)
    resources = state.resources(name, home)
    repository_there = server_repository(validate(ScalewaySpec, settings), resources)
    with server_ssh.connect(name, resources, home).engine() as runtime:
        yield runtime, repository_there


def take_backup(name: str, home: Home) -> str:
    """One more backup, now; its id."""
    with connect(name, home) as (runtime, _):
        return agent.take_backup(runtime).id


class RemoteBackups(AgentBackups):
    """Those of a database on the server."""

    def reached(self) -> AbstractContextManager[Reached]:
        """The server's engine."""
        return connect(self.name, self.home)

    def listing(self) -> list[BackupRow]:
        """By the server, or as much as the bucket's names say where it lets nobody in."""
        if server_ssh.ssh_allowed(self.settings):
            return super().listing()
        mine, outputs = (
            account.for_workspace(self.name, self.home),
            state.require_outputs(self.name, self.home),
        )
        s3 = mine.storage(outputs["region"], outputs.get("project", ""))
        return repository.backups(s3, outputs["backups"]["where"])

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        """As on this machine, where the server lets somebody in."""
        backups.require_ssh(self.name, self.settings)
        return super().chosen(to=to, backup=backup)

    def restore(self, choice: RestorePoint) -> Restored:
        """The server's own unit starts nothing meanwhile, and everything at the end."""
        with locks.hold(self.home, self.name, "restoring"), self.reached() as (runtime, there):
            server, version = server_ssh.server_of(self.name, self.home), self._version()
            with _at_rest(server) as start:
                return restore.restore_with_version(
                    runtime, there, version, to=choice.to, backup=choice.backup, start=start
                )

    def _version(self) -> str:
        """CVAT's as it is set now: somebody may have been asked meanwhile."""
        return validate(ScalewaySpec, stack.read_settings(stack.select(self.name, self.home))).cvat_version


@contextmanager
def _at_rest(server: server_ssh.Server) -> Iterator[Callable[[], object]]:
    """What starts the workspace again; it is started also when the work fails."""
    server.run("systemctl", "stop", UNIT)
    try:
        yield lambda: server.run("systemctl", "start", UNIT)
    except BaseException:
        server.run("systemctl", "start", "--no-block", UNIT)
        raise


def take_final_backup(name: str, home: Home, *, prove: bool) -> str:
    """One more backup before the server goes; its id, empty where the server does not let this machine in.

    Raises ``OpsError`` when it fails.
    """
    settings = stack.read_settings(stack.select(name, home))
    late = settings.get("backup", {}).get("archive_timeout_seconds", 30)
    without = f"no last backup: what was written until {late} s ago is archived"
    if not settings.get("running", True):
        return ""
    if not server_ssh.ssh_allowed(settings):
        message(f"  {name}: {without} (scaleway.ssh_cidrs is empty)")
        return ""
    try:
        with connect(name, home) as (runtime, _):
            return final_backup.take_final_backup(runtime, prove=prove)
    except server_ssh.UnreachableError as error:
        message(f"  {name}: {without} ({error})")
        return ""


def test_upgrade(spec: ScalewaySpec, old: str, home: Home, resources: retained.Resources) -> str:
    """The backup that another version than ``old`` was rehearsed with; empty for none.

    Raises ``UsageError`` where the server lets nobody in: a migration that was not rehearsed has no way back.
    """
    if not (spec.scaleway.ssh_cidrs and state.stack_outputs(resources).get("running")):
        raise UsageError(
            f"cvat_version: {spec.cvat_version!r}: an upgrade is rehearsed on the server, which must run and"
            f" let this machine in: start {spec.name} at {old} with scaleway.ssh_cidrs set, then change the"
            " version"
        )
    with server_ssh.connect(spec.name, resources, home).engine() as runtime:
        return upgrade.before(runtime, server_repository(spec, resources), spec.cvat_version, old)
