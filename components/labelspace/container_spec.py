"""A container of a workspace as data: each target renders it to what it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

LOG_LIMIT = {"max-size": "10m", "max-file": "3"}
"""Options of the log driver ``json-file``: without them a container's log grows until the disk is full."""


@dataclass(frozen=True)
class File:
    """A file put into a container before it starts."""

    path: str
    content: pulumi.Input[str]
    """Readable inside that one container alone (Docker 20.10 cannot give a file to a numeric user)."""


@dataclass(frozen=True)
class Health:
    """A health check: ``command`` is run inside the container, every ``interval`` seconds.

    Each run costs the engine a tenth of a second of a core: more often only where an update waits for it.
    """

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 10
    retries: int = 3
    start_period: int = 30


@dataclass(frozen=True)
class Service:
    """One container of a workspace, as data."""

    name: str
    image: str
    memory: int
    """Limit in MiB."""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    late_environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """More variables, over those of ``environment``; their values may be outputs (target local alone)."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Name of a volume of the workspace -> path in the container."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """The same for volumes that it may not write."""
    is_store: bool = False
    """Keeps data of others in its volumes: two of it must never run over one volume."""
    files: tuple[File, ...] = ()
    host_files: Mapping[str, str] = field(default_factory=dict)
    """A file of the machine that it runs on -> path in the container, to read alone."""
    aliases: tuple[str, ...] = ()
    """Host names among the workspace's containers."""
    port: int | None = None
    """TCP port that it serves under its aliases."""
    user: str | None = None
    """``uid:gid``; none: the image's own user."""
    health: Health | None = None
    capabilities: tuple[str, ...] = ()
    """The only Linux capabilities it keeps."""
    mounts_file_systems: bool = False
    """May open ``/dev/fuse`` and mount: more rights than any other container has."""
    mounts_share: bool = False
    one_shot: bool = False
    """Runs to its end during the update; anything but exit code 0 fails it."""
    stays_awake: bool = False
    """Runs while the workspace sleeps."""
    holds_socket: bool = False
    """Is given the engine's socket."""
    offline: bool = False
    """Has no network at all."""
    publishes: tuple[tuple[int, int], ...] = ()
    """Pairs of a port inside and the host's port that leads to it."""
    publishes_on_loopback: bool = False
    """Also on 127.0.0.1 when the workspace serves one other address of the machine."""

    @property
    def restart(self) -> str:
        """When the engine starts it again.

        An engine that crashed stops at its next start what it finds alive, and takes its own stop for a
        user's: with ``unless-stopped`` such a container stays down.
        """
        return "no" if self.one_shot else "always"
