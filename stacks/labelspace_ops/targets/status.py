"""The status of a workspace, as each target measures it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from labelspace.cvat_lines import MEANING, line_of
from labelspace_ops.backup.models import UNKNOWN, BackupState
from labelspace_ops.core.checks import Check
from labelspace_ops.core.models import JsonModel


class BucketStatus(JsonModel):
    """A dataset bucket in a status."""

    name: str
    """The bucket's name."""
    endpoint: str
    """S3 endpoint, as URL."""
    objects: int | None
    """Number of objects; null when the bucket was not measured."""
    bytes: int | None
    """Total size of the objects in bytes; null when the bucket was not measured."""
    path: str | None = None
    """The folder of your own that it is, which is not measured; null for other buckets."""
    unreadable: int = 0
    """Files and folders found within a second that CVAT's user cannot read."""
    first_unreadable: list[str] = Field(default_factory=list)
    """The keys of the first of them."""

    @classmethod
    def unmeasured(cls, bucket: Mapping[str, str]) -> BucketStatus:
        """Return the status of a bucket of the stack's outputs before it is measured."""
        given = {key: bucket[key] for key in ("name", "endpoint", "path") if key in bucket}
        return cls.model_validate({**given, "objects": None, "bytes": None})


class VolumeState(JsonModel):
    """A data volume on Scaleway."""

    id: str
    """The volume's id, a value of the setting ``scaleway.adopt_volume``."""
    bytes: int
    """Its size in bytes, which Scaleway bills."""
    attached: bool
    """Whether a server uses it."""


class Row(JsonModel):
    """A workspace in the list."""

    name: str
    """Its name."""
    target: str
    """Where it runs."""
    status: str
    """Its status, as in ``Status``."""
    url: str
    """URL of the annotation server for browsers."""


class Status(JsonModel):
    """The measured status of a workspace."""

    name: str
    """Its name."""
    target: str
    """Where it runs: ``local``, ``scaleway`` or ``kubernetes``."""
    description: str
    """What it is for."""
    since: str | None = None
    """Since when the workspace has been asleep, on target local."""
    status: str
    """``creating``, ``ready``, ``degraded``, ``stopped``, ``asleep``, ``failed``, ``deleting``,
    ``deleted`` (only the data is left), ``unreadable`` (the state is damaged)."""
    url: str
    """URL of the annotation server for browsers."""
    api_url: str
    """URL of the annotation server for programs."""
    cvat_version: str
    """The annotation server's version."""
    cvat_state: str | None = None
    """How well it is tested: ``proven``, ``run``, ``read`` or ``unread``; null without a version."""
    admin_username: str
    """User name of the admin."""
    buckets: list[BucketStatus]
    """Its dataset buckets."""
    backup: BackupState
    """Its backups."""
    server: str | None = None
    """State of its Instance, such as ``running``, on target scaleway; null when it was not measured."""
    volume: VolumeState | None = None
    """Its data volume, on target scaleway; null when it was not measured."""
    certificate_until: str | None = None
    """End of the URL's certificate, UTC; null when there is none, or when it was not measured."""
    cost: dict[str, object] | None = None
    """Its cost in EUR a month, on target scaleway."""
    warnings: list[str] | None = None
    """What needs attention soon, while the workspace works; null for nothing."""
    checks: list[Check]
    """All checks."""

    @classmethod
    def measured(
        cls, name: str, target: str, outputs: Mapping[str, Any], backup: BackupState, **fields: Any
    ) -> Status:
        """Return the status with what the stack's outputs say; ``fields``: what the target measured."""
        texts = ("description", "url", "api_url", "cvat_version", "admin_username")
        known: dict[str, Any] = {text: str(outputs.get(text, "")) for text in texts}
        if version := known["cvat_version"]:
            known["cvat_state"] = line_of(version).state
        return cls(
            name=name,
            target=target,
            backup=backup.model_copy(update=dict(outputs.get("backups", {}))),
            **known,
            **fields,
        )

    @classmethod
    def unmeasured(cls, name: str, status: str, *checks: Check) -> Status:
        """Return a status of which only the name is known, and why in ``checks``."""
        return cls.measured(name, "", {}, UNKNOWN, status=status, buckets=[], checks=list(checks))

    @property
    def cvat(self) -> str:
        """The version of CVAT, with a mark when it is untested."""
        line = line_of(self.cvat_version) if self.cvat_version else None
        mark = f" (untested: {MEANING[line.state]})" if line and not line.tested else ""
        return f"{self.cvat_version}{mark}"

    def as_row(self) -> Row:
        """Return the workspace as it is listed."""
        return Row(name=self.name, target=self.target, status=self.status, url=self.url)
