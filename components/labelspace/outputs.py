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
class FolderShare:
    """A dataset bucket that is a folder of the machine which runs the server."""

    path: str


@dataclass(frozen=True)
class RemoteShare:
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
    share: FolderShare | RemoteShare


@dataclass(frozen=True)
class BackupPolicy:
    """Where backups go, how late an annotation may be archived, and how long copies stay."""

    where: str
    archive_timeout_seconds: int
    retention_days: int


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
class Deployment:
    """A workspace as its target's room made it: what ``Workspace`` exports."""

    url: pulumi.Input[str]
    """Resolves when the workspace is ready."""
    api_url: pulumi.Input[str]
    buckets: tuple[BucketAccess, ...]
    backups: Mapping[str, pulumi.Input[str]]
    """``where``, ``schedule`` and ``keep``, for people."""
    more: Mapping[str, pulumi.Input[object]] = field(default_factory=dict)
    """Outputs that this target alone has."""
