"""What each part of a workspace hands to the next: typed, free of any target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi

from labelspace.spec import WorkspaceSpec

BeforeUpgrade = Callable[[WorkspaceSpec, str], None]
"""Asked before another version of CVAT is used, with the wish and the old version (empty when the stack does
not know it); what it raises fails the update before anything of CVAT was touched."""


@dataclass(frozen=True)
class Folder:
    """A dataset bucket that is a folder of the machine which runs the server."""

    path: str


@dataclass(frozen=True)
class Remote:
    """A dataset bucket elsewhere, mounted inside ``root`` by a container of its own, on a folder of its name.

    Whoever reads it binds ``root``, so that a mount made anew is seen without a restart.
    """

    root: str


@dataclass(frozen=True)
class BucketAccess:
    """A dataset bucket: how programs reach it over S3, and how the annotation server sees it."""

    name: str
    endpoint: pulumi.Output[str]
    region: str
    """Region that requests are signed for."""
    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]
    share: Folder | Remote


@dataclass(frozen=True)
class BackupPolicy:
    """Where backups go, how late an annotation may be archived, and how long copies stay."""

    where: str
    archive_timeout_seconds: int
    keep_days: int


@dataclass(frozen=True)
class DatabaseAccess:
    """The annotation database; ``password`` is secret."""

    host: pulumi.Input[str]
    port: int
    database: str
    user: str
    password: pulumi.Output[str]
    ca_certificate: pulumi.Input[str] | None
    backups: BackupPolicy
    ready: pulumi.Output[str]
    """Resolves when the database answers; or, for one that is not waited for, when it was started."""
    archived_mark: str = ""
    """A file beside the database, there once changes are archived over a first backup; empty: none."""


@dataclass(frozen=True)
class Built:
    """A workspace as its target's room made it: what ``Workspace`` exports."""

    url: pulumi.Input[str]
    """Resolves when the workspace is ready."""
    api_url: pulumi.Input[str]
    buckets: tuple[BucketAccess, ...]
    backups: Mapping[str, pulumi.Input[str]]
    """``where``, ``schedule`` and ``keep``, for people."""
    more: Mapping[str, pulumi.Input[object]] = field(default_factory=dict)
    """Outputs that this target alone has."""


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
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Name of a volume of the workspace -> path in the container."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """The same for volumes that it may not write."""
    files: tuple[File, ...] = ()
    host_files: Mapping[str, str] = field(default_factory=dict)
    """A file of the machine that it runs on -> path in the container, to read alone."""
    aliases: tuple[str, ...] = ()
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
    offline: bool = False
    """Has no network at all."""
    publishes: tuple[int, int] | None = None
    """The port inside and the host's port that leads to it."""

    @property
    def restart(self) -> str:
        """When the engine starts it again.

        An engine that crashed stops at its next start what it finds alive, and takes its own stop for a
        user's: with ``unless-stopped`` such a container stays down.
        """
        return "no" if self.one_shot else "always"
