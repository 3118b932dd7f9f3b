"""A database on the server: asked as this machine's is, at the server's engine, which is reached over SSH."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import docker

from labelspace.home import Home
from labelspace.names import named
from labelspace.postgres.backup import AUTHORITIES
from labelspace.scaleway import on_server
from labelspace.scaleway.place import endpoint
from labelspace.spec import WorkspaceSpec, parse_spec
from labelspace_ops import locks, stack, state
from labelspace_ops.backup import agent, ending, restore, upgrade
from labelspace_ops.backups import Archived, Choice, Row
from labelspace_ops.cloud import account, backups, far, left, repository
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError

NETWORK = "labelspace_default"
"""Compose's name of the network of the server's containers (``scaleway.boot``)."""
UNIT = "labelspace.service"
KEY = "scaleway:iam/apiKey:ApiKey"
Reached = tuple[docker.DockerClient, agent.Source]


def has(settings: dict[str, Any]) -> bool:
    """Whether a workspace has its database on its server, by its settings."""
    return bool(settings.get("target") == "scaleway" and _of(settings).get("database") == "server")


def _of(settings: dict[str, Any]) -> dict[str, Any]:
    return dict(settings.get("scaleway") or {})


def source(spec: WorkspaceSpec, resources: left.Resources) -> agent.Source:
    """The repository as the server reaches it, with the keys that work from there alone.

    By what was made, not by the stack's outputs: an update leaves none when it waits in vain for a database
    that wants to be restored first.
    """
    keys, region = _made(spec.name, resources, KEY), spec.scaleway.region
    backups_of = [one for one in left.of_kind(resources, left.BUCKET) if _keeps_backups(one, spec.name)]
    name = str(_made(spec.name, backups_of, left.BUCKET)["name"])
    bucket = on_server.bucket(name, region, endpoint(region), keys["accessKey"], keys["secretKey"])
    return agent.Source(
        spec.name,
        named(spec.name, on_server.PROOFS),
        spec.backup.model_copy(update={"bucket": bucket}),
        on_server.key(spec),
        network=NETWORK,
        authorities=AUTHORITIES,
    )


def _made(name: str, resources: left.Resources, kind: str) -> dict[str, Any]:
    """What is known of the one of a kind; raises ``OpsError`` when it was never made."""
    found = left.of_kind(resources, kind)
    if not found:
        raise OpsError(f"{name}: it was never made completely: run `labelspace create {name}` again")
    return dict(state.revealed(found[0]["outputs"]))


def _keeps_backups(bucket: dict[str, Any], name: str) -> bool:
    said = str(bucket["outputs"].get("name"))
    return bool(re.fullmatch(f"{named(name, '[0-9a-f]{8}')}-backups", said))


@contextmanager
def reached(name: str, home: Home) -> Iterator[Reached]:
    """The server's engine and the repository; raises ``UsageError`` when nobody is let in."""
    settings = stack.read_settings(stack.select(name, home))
    backups.must_let_in(name, settings)
    resources = state.resources(name, home)
    repository_there = source(parse_spec(settings), resources)
    with far.of(name, resources, home).engine() as client:
        yield client, repository_there


def backed_up(name: str, home: Home) -> str:
    """One more backup, now; its id."""
    with reached(name, home) as (client, _):
        return str(agent.ask(agent.needed(client, name), "backup", kind="incr", gently=False)["id"])


class OnServer(Archived):
    """Those of a database on the server."""

    def reached(self) -> AbstractContextManager[Reached]:
        """The server's engine."""
        return reached(self.name, self.home)

    def listing(self) -> list[Row]:
        """By the server, or as much as the bucket's names say where it lets nobody in."""
        if far.lets_in(self.settings):
            return super().listing()
        mine, outputs = account.of(self.name, self.home), state.outputs_of(self.name, self.home)
        s3 = mine.storage(outputs["region"], outputs.get("project", ""))
        return repository.backups(s3, outputs["backups"]["where"])

    def chosen(self, *, to: str = "", backup: str = "") -> Choice:
        """As on this machine, where the server lets somebody in."""
        backups.must_let_in(self.name, self.settings)
        return super().chosen(to=to, backup=backup)

    def restore(self, choice: Choice) -> Row:
        """The server's own unit starts nothing meanwhile, and everything at the end."""
        with locks.hold(self.home, self.name, "restoring"), self.reached() as (client, there):
            server, version = far.server(self.name, self.home), self._version()
            with _at_rest(server) as start:
                return restore.bring_back(
                    client, there, version, to=choice.to, backup=choice.backup, start=start
                )

    def _version(self) -> str:
        """CVAT's as it is set now: somebody may have been asked meanwhile."""
        return parse_spec(stack.read_settings(stack.select(self.name, self.home))).cvat_version


@contextmanager
def _at_rest(server: far.Server) -> Iterator[Callable[[], object]]:
    """What starts the workspace again; it is started also when the work fails."""
    server.run("systemctl", "stop", UNIT)
    try:
        yield lambda: server.run("systemctl", "start", UNIT)
    except BaseException:
        server.run("systemctl", "start", "--no-block", UNIT)
        raise


def last_backup(name: str, home: Home, *, prove: bool) -> str:
    """One more backup before the server goes; its id, empty where the server does not let this machine in.

    Raises ``OpsError`` when it fails.
    """
    settings = stack.read_settings(stack.select(name, home))
    late = settings.get("backup", {}).get("archive_timeout_seconds", 30)
    without = f"no last backup: what was written until {late} s ago is archived"
    if not settings.get("running", True):
        return ""
    if not far.lets_in(settings):
        say(f"  {name}: {without} (scaleway.admin_cidrs lets nobody in)")
        return ""
    try:
        with reached(name, home) as (client, _):
            return ending.last_backup(client, name, prove=prove)
    except far.UnreachableError as error:
        say(f"  {name}: {without} ({error})")
        return ""


def rehearsed(spec: WorkspaceSpec, old: str, home: Home, resources: left.Resources) -> str:
    """The backup that another version than ``old`` was rehearsed with; empty for none.

    Raises ``UsageError`` where the server lets nobody in: a migration that was not rehearsed has no way back.
    """
    if not (spec.scaleway.admin_cidrs and state.exported(resources).get("running")):
        raise UsageError(
            f"cvat_version: {spec.cvat_version!r}: an upgrade is rehearsed on the server, which must run and"
            f" let this machine in: start {spec.name} at {old} with scaleway.admin_cidrs set, then change the"
            " version"
        )
    with far.of(spec.name, resources, home).engine() as client:
        return upgrade.before(client, source(spec, resources), spec.cvat_version, old)
