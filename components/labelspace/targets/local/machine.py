"""The machine that runs a workspace's containers, as the workspace's stack recorded it.

A preview reads the record, so it writes nothing and is the same on every machine that has the state and the
passphrase. An update compares the record with the machine that it runs on, and refuses another one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from labelspace import docker_endpoint
from labelspace.backup_key import recorded_backup_key, recorded_once
from labelspace.given import Given
from labelspace.home import Home
from labelspace.spec import BackupSpec

SELINUX = Path("/sys/fs/selinux/enforce")
"""A file that is there when SELinux is on (selinuxfs)."""
RECORD = "LABELSPACE_RECORD"
"""The variable that names the workspaces, separated by commas, whose next update records this machine."""
RECORD_NAME = "machine"
"""The name of the record in a stack, after the workspace's."""


@dataclass(frozen=True)
class Facts:
    """What a workspace's containers need to know of their machine."""

    home: str
    """The folder of buckets, backups and mounts: an absolute path."""
    home_id: str
    """The random name of that home; empty where nothing was made yet."""
    selinux: bool
    """Whether the kernel enforces SELinux labels, or only logs what it would refuse."""
    podman: bool
    """Whether the engine is Podman."""
    socket: str
    """The engine's socket as the engine sees it; empty when it has another kind of address."""

    @classmethod
    def here(cls, *, writes: bool = False) -> Facts:
        """The facts of this machine; with ``writes``, a home without a name gets one."""
        home, endpoint = Home.find(), _endpoint()
        return cls(
            home=str(home.root),
            home_id=home.made_identity() if writes else home.identity(),
            selinux=SELINUX.exists(),
            podman=bool(endpoint and endpoint.is_podman),
            socket=endpoint.socket if endpoint else "",
        )


class Machine:
    """The recorded machine of one workspace. ``facts`` fails an update that runs on another one."""

    def __init__(self, parent: pulumi.Resource, prefix: str, workspace: str) -> None:
        """``prefix``: the name of the parent's component, with which names of resources begin."""
        here = Facts.here(writes=not pulumi.runtime.is_dry_run())
        self._parent, self._prefix, self._workspace = parent, prefix, workspace
        record = pulumi.Stash(
            f"{prefix}-{RECORD_NAME}",
            input=asdict(here),
            opts=recorded_once(parent, again=is_recorded_again(workspace)),
        )
        self.facts: pulumi.Output[Facts] = pulumi.Output.all(record.output, _provider_host(parent)).apply(
            lambda values: _compared(workspace, Facts(**values[0]), here, values[1])
        )

    def path(self, choose: Callable[[Home], Path]) -> pulumi.Output[str]:
        """A path inside the home."""
        return self.facts.apply(lambda facts: str(choose(Home(Path(facts.home)))))

    def once_compared(self, value: str) -> pulumi.Output[str]:
        """``value``, known when the update runs on the recorded machine."""
        return self.facts.apply(lambda _: value)

    def socket(self) -> pulumi.Output[str]:
        """The engine's socket, as the engine sees it."""
        return self.facts.apply(lambda facts: facts.socket or docker_endpoint.ENGINE_SOCKET)

    def bind(
        self,
        folder: pulumi.Input[str],
        path: str,
        *,
        read_only: bool | None = None,
        relabel: bool = True,
    ) -> pulumi.Output[docker.ContainerVolumeArgs]:
        """``folder_bind`` on this machine."""
        return pulumi.Output.all(self.facts, folder).apply(
            lambda values: folder_bind(values[0], values[1], path, read_only=read_only, relabel=relabel)
        )

    def backup_key(self, backup: Given[BackupSpec]) -> pulumi.Output[str]:
        """The key that encrypts the backups: the given one, else the recorded one; secret.

        An update stores it in the home, where a recovery kit finds it.
        """
        return recorded_backup_key(self._parent, self._prefix, self._workspace, backup, after=self.facts)


def folder_bind(
    facts: Facts, folder: str, path: str, *, read_only: bool | None = None, relabel: bool = True
) -> docker.ContainerVolumeArgs:
    """Bind a folder of the machine at ``path``.

    Where SELinux is on, ``relabel`` gives the folder the label that containers share (``:z``); without that
    label they are refused everything in it.
    """
    return docker.ContainerVolumeArgs(
        host_path=folder,
        container_path=path,
        read_only=read_only,
        selinux_relabel="z" if relabel and facts.selinux else None,
    )


def is_recorded_again(workspace: str) -> bool:
    """Whether the user wants the next update to record this machine in place of another one."""
    return workspace in os.environ.get(RECORD, "").split(",")


def _provider_host(parent: pulumi.Resource) -> pulumi.Output[str | None]:
    """The URL of the engine that the caller's own provider uses, else the stack's setting ``docker:host``."""
    provider = parent.get_provider("docker:index/container:Container")
    if provider is None:
        return pulumi.Output.from_input(pulumi.Config("docker").get("host"))
    return pulumi.Output.from_input(provider.host if isinstance(provider, docker.Provider) else None)


def _compared(workspace: str, recorded: Facts, here: Facts, host: str | None) -> Facts:
    if host and docker_endpoint.Endpoint(host, "the provider").is_remote:
        raise pulumi.RunError(
            f"{workspace}: its Docker provider's host is {host}, on another machine, and folders, keys and"
            " addresses would be this one's: run the program on that machine, and leave host out"
        )
    if not pulumi.runtime.is_dry_run() and (problem := difference(workspace, recorded, here)):
        raise pulumi.RunError(problem)
    return recorded


def difference(workspace: str, recorded: Facts, here: Facts) -> str:
    """One sentence with a next step when the recorded machine is not this one; empty when it is."""
    changed = _changed(recorded, here)
    again = f"set {RECORD}={workspace} for one update, which records what is here"
    where = f"{workspace}: it was made {changed}: run the update there"
    return f"{where}; or, if that home was moved or its engine changed, {again}" if changed else ""


def _changed(recorded: Facts, here: Facts) -> str:
    if (recorded.home, recorded.home_id) != (here.home, here.home_id):
        return f"from another home, {recorded.home} of its machine, and this one is {here.home}"
    if (recorded.podman, recorded.socket) != (here.podman, here.socket):
        return f"on another engine, at {recorded.socket or 'no socket'}, and this one is at {here.socket}"
    if recorded.selinux != here.selinux:
        return f"with SELinux {'on' if recorded.selinux else 'off'}, and here it is not so"
    return ""


def _endpoint() -> docker_endpoint.Endpoint | None:
    """A context that cannot be read is reported where the engine is needed."""
    try:
        return docker_endpoint.find()
    except ValueError:
        return None
