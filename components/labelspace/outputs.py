"""The typed values that the parts of a workspace pass to each other, the same on every target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi

from labelspace.spec import WorkspaceSpec

BeforeUpgrade = Callable[[WorkspaceSpec, str], None]
"""Called before another version of CVAT is used, with the spec and the old version (empty when the stack does
not know it). An exception fails the update before any part of CVAT changes."""


def once_ready(value: pulumi.Input[str], *ready: pulumi.Output[str]) -> pulumi.Output[str]:
    """``value`` when every ``ready`` resolved. In a preview nothing becomes ready: it knows it at once."""
    if pulumi.runtime.is_dry_run():
        return pulumi.Output.from_input(value)
    return pulumi.Output.all(value, *ready).apply(lambda values: str(values[0]))


@dataclass(frozen=True)
class FolderShare:
    """A dataset bucket that is a folder of the machine which runs the server."""

    path: pulumi.Input[str]


@dataclass(frozen=True)
class OwnFolderShare:
    """A dataset bucket that is a folder of the user's own (``buckets[].path``), which is only read."""

    path: str


@dataclass(frozen=True)
class RemoteShare:
    """A remote dataset bucket: its own container mounts it at the folder of its name inside ``root``.

    Bind-mount ``root``, not the subfolder, so that remounts appear without a restart.
    """

    root: pulumi.Input[str]


Share = FolderShare | OwnFolderShare | RemoteShare


@dataclass(frozen=True)
class BucketAccess:
    """A dataset bucket: how programs reach it over S3, and how the annotation server sees it."""

    name: str
    endpoint: pulumi.Output[str]
    region: pulumi.Input[str]
    """Region that requests are signed for."""
    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]
    share: Share
    ready: pulumi.Output[str] | None = None
    """Resolves when the server may use it; None: at once."""

    @property
    def own_path(self) -> str:
        """The folder of the user's own that the bucket is; empty for every other bucket."""
        return self.share.path if isinstance(self.share, OwnFolderShare) else ""


@dataclass(frozen=True)
class BackupPolicy:
    """Where backups go, when they are made, and how long they stay."""

    where: pulumi.Input[str]
    """A folder, the URL of a bucket, or a sentence."""
    schedule: str
    retention_days: int
    old_versions_days: int = 0
    """Days that an expired backup stays in its versioned bucket after that."""

    def summary(self) -> dict[str, pulumi.Input[str]]:
        """Return the stack's output ``backups``."""
        more = f", then {self.old_versions_days} days as old versions" if self.old_versions_days else ""
        keep = f"{self.retention_days} days{more}"
        return {"where": self.where, "schedule": self.schedule, "keep": keep}


@dataclass(frozen=True)
class DatabaseAccess:
    """The annotation database; ``password`` is secret."""

    host: pulumi.Input[str]
    port: int
    database: pulumi.Input[str]
    user: pulumi.Input[str]
    password: pulumi.Output[str]
    ca_certificate: pulumi.Input[str] | None
    backups: BackupPolicy
    ready: pulumi.Output[str]
    """Resolves when the database answers; or, for one that is not waited for, when it was started."""
    archived_mark: str = ""
    """A file in the database's container that exists once the archive has a first backup; empty: none."""


@dataclass(frozen=True)
class SharedDatabase:
    """An annotation database that is a component of its own, and what a server on it shares with it."""

    access: DatabaseAccess
    workspace: str
    """The name that containers and volumes of both go by."""
    network: pulumi.Input[str]
    files: Mapping[str, pulumi.Resource]
    """Volumes of CVAT's files, which are backed up with the database."""


@dataclass(frozen=True)
class Deployment:
    """What a target's deployment returns; becomes the stack's outputs."""

    url: pulumi.Input[str]
    """Resolves when the workspace is ready (``once_ready``)."""
    api_url: pulumi.Input[str]
    buckets: tuple[BucketAccess, ...]
    backups: Mapping[str, pulumi.Input[str]]
    """``where``, ``schedule`` and ``keep``, as readable text."""
    on_this_engine: bool = False
    """Whether the containers run on the Docker engine of the machine that runs the program."""
    more: Mapping[str, pulumi.Input[object]] = field(default_factory=dict)
    """Outputs that this target alone has."""
