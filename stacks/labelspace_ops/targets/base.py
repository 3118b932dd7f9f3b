"""The interface of a target: what the shared lifecycle, the command line and the console ask of it."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from labelspace.spec import Settings, WorkspaceSpec
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.storage import object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.targets.status import Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store
    from pulumi import automation as auto

    from labelspace.home import Home
    from labelspace_ops.backup.base import Backups
    from labelspace_ops.backup.models import Rehearsal

Spec = TypeVar("Spec", bound=WorkspaceSpec)


class Capability(Enum):
    """An ability that not every target has; code asks for it instead of the target's name."""

    KEEPS_STACK = "`delete` keeps the stack with what holds data; `--purge` removes it"
    PURGE = "`delete --purge` removes annotations and backups"
    HOST_PORTS = "URL and S3 are served on ports of this machine"
    LOCAL_BUCKETS = "dataset buckets are folders of this machine"
    HOST_NAME = "the URL is public: settings name its domain, or ask for a name for a trial"
    COST = "resources are billed by a provider"
    BACKUP_WHILE_STOPPED = "a stopped workspace may still be asked for a backup or a drill"
    S3_STOPS = "the buckets' S3 endpoint stops and sleeps with the workspace"
    RESTORE_BEFORE_READY = "a workspace that never became ready may need a restore"


@dataclass(frozen=True)
class CreateOptions:
    """What ``create`` was asked besides the settings."""

    known: bool
    """Whether the workspace has a stack already."""
    reuse_data: bool = False
    from_backup: str = ""


class Update(Generic[Spec]):
    """One update of a workspace, made by ``Target.begin_update``: the target's steps around Pulumi's.

    ``spec`` is what will be deployed. Every step may raise ``OpsError``; the steps before ``run`` leave the
    workspace as it was.
    """

    refresh = True
    """Whether Pulumi compares its state with what is there before the update."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def before_settings(self, stack: auto.Stack) -> None:
        """The stack exists; its settings are still the old ones."""

    def before_run(self, stack: auto.Stack) -> None:
        """The settings are written."""

    def running(self) -> AbstractContextManager[None]:
        """Open while Pulumi works."""
        return nullcontext()

    def hint(self, error: str) -> str:
        """The next step after a failed update, on a line of its own; empty for none."""
        return ""

    def after(self) -> None:
        """The update succeeded."""


@dataclass(frozen=True)
class Deletion:
    """What is left of a deleted workspace."""

    last_backup: str
    """Id of the last backup; empty for none."""
    backups: str
    """Where backups are."""
    kept: str = ""
    """What else stays, with what it costs, for people."""
    recreate: str = ""
    """The command that makes the workspace again from what is left."""


@dataclass(frozen=True)
class Usage:
    """What a workspace uses of this machine, in bytes."""

    memory: int
    """Now, without file caches."""
    memory_at_most: int
    """The sum of the limits."""
    data: int
    """Volumes: annotations and CVAT's files."""
    buckets: int
    backups: int | None
    """None when this user may not read the folder."""


def refuse_own_folder(outputs: Properties, bucket: str) -> None:
    """Raise ``UsageError`` for a bucket that is a folder of the user's own, which is never changed."""
    path = next((one.get("path") for one in outputs["buckets"] if one["name"] == bucket), None)
    if path:
        raise UsageError(
            f"bucket: {bucket!r} is {path}, a folder of yours that labelspace only reads: copy the files"
            f" there yourself (`cp -R FILES {shlex.quote(path)}`), or choose another bucket"
        )


class Target(ABC, Generic[Spec]):
    """Where workspaces run. One instance per target, made by the registry; loading it must be quick."""

    name: ClassVar[str]
    title: ClassVar[str]
    """For people: "this machine"."""
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    plugins: ClassVar[tuple[str, ...]] = ()
    """The Python packages whose plugins Pulumi needs."""
    retention_note: ClassVar[str] = ""
    """What stays after ``delete``, for people."""

    def can(self, capability: Capability) -> bool:
        """Whether the target has the ability."""
        return capability in self.capabilities

    @abstractmethod
    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        """The stack's program.

        ``checked``: what the target refuses was asked already. ``rehearsed``: so was another CVAT version.
        """

    def new_values(self, values: Settings, home: Home) -> Settings:
        """Settings that a new workspace needs and that only this machine knows, such as free ports."""
        return {}

    def revived_settings(self, settings: Settings) -> Settings:
        """The settings of a deleted workspace that is created again, without what is taken meanwhile."""
        return settings

    def resolve(self, spec: Spec, home: Home) -> Spec:
        """The spec to preview, with what only the account or this machine knows; writes nothing."""
        return spec

    @abstractmethod
    def begin_update(
        self, spec: Spec, home: Home, options: CreateOptions
    ) -> AbstractContextManager[Update[Spec]]:
        """Check everything that can be refused, prepare, and return the update's steps."""

    @abstractmethod
    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        """Take a last backup and end who writes; the id of the backup, empty for none."""

    @abstractmethod
    def backups_location(self, name: str, home: Home) -> str:
        """Where the backups of a workspace are, for people."""

    @abstractmethod
    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        """Take a last backup and remove what runs; ``purge``: data and backups too.

        ``destroy`` destroys and forgets the stack; with KEEPS_STACK it is called for ``purge`` alone.
        """

    def purge_retained(self, name: str, home: Home) -> bool:
        """Remove the data of a workspace whose stack is gone; False when there is none."""
        return False

    def retained(self, name: str, home: Home) -> str:
        """What an earlier workspace of the name left, for people; empty for nothing."""
        return ""

    @abstractmethod
    def status(self, name: str, resources: list[Resource], home: Home) -> Status:
        """Measure a workspace."""

    @abstractmethod
    def backups(self, name: str, home: Home, settings: Settings) -> Backups:
        """Backups of a workspace."""

    @abstractmethod
    def preview_notes(self, spec: Spec, *, new: bool) -> list[str]:
        """What a reviewer must know of this spec on this target."""

    def image_notes(self, spec: Spec) -> list[str]:
        """Images that will be pulled, and images that changed under their names since the last update."""
        return []

    def rehearse_upgrade(self, name: str, version: str, old: str, home: Home) -> Rehearsal | None:
        """Take a backup and rehearse an upgrade on a copy; None where only the upgrade itself rehearses."""
        return None

    def upgrade_note(self, spec: Spec) -> str:
        """How another version of CVAT is tested before it touches the database."""
        return (
            f"upgrade to CVAT {spec.cvat_version}: first a backup, then a rehearsal: a copy of it is migrated"
            " with the new version and compared; only then is the real database touched. A"
            " rehearsal that fails changes nothing. Afterwards the way back is that backup"
        )

    def cost(self, spec: Spec) -> str:
        """What it costs, for people; empty where nothing is billed."""
        return ""

    def usage(self, name: str, outputs: Properties, home: Home) -> Usage | None:
        """What the workspace uses of this machine; None for a target in the cloud."""
        return None

    def send_test_notice(self, name: str) -> None:
        """Send a test message to the workspace's webhook, from inside the workspace; raises ``OpsError``."""
        raise UsageError(f"notify: workspaces on {self.title} send no notices in this version")

    @abstractmethod
    def doctor(self, home: Home) -> list[Check]:
        """Checks of whether a workspace can run there."""

    def bucket_client(self, outputs: Properties, bucket: str, *, patience: float = 0) -> S3Client:
        """An S3 client for a dataset bucket, by the outputs; ``patience`` as in ``buckets.connect``."""
        from labelspace_ops.storage import buckets  # noqa: PLC0415 - loads boto3

        return buckets.client(outputs, bucket, patience=patience)

    def bucket_store(self, outputs: Properties, bucket: str) -> S3Store | None:
        """The same for quick transfers of small files; None where only ``bucket_client`` works."""
        return object_store.open_store(outputs, bucket)

    def unreadable_keys(self, outputs: Properties, bucket: str, prefix: str) -> frozenset[str]:
        """Return the files and folders under a prefix that CVAT's user cannot read; none on most targets."""
        return frozenset()

    def storage(self, outputs: Properties, bucket: str) -> Storage:
        """A dataset bucket for uploads; raises ``UsageError`` for a folder that is only read."""
        refuse_own_folder(outputs, bucket)
        return Storage(
            bucket, lambda: self.bucket_client(outputs, bucket), self.bucket_store(outputs, bucket)
        )

    def refuse_purge(self) -> None:
        """Raise ``UsageError`` where ``delete --purge`` cannot remove the data."""
        if not self.can(Capability.PURGE):
            raise UsageError(f"purge: data on {self.title} is removed in its console: delete without --purge")
