"""Backups in the status of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.models import JsonModel


class Proof(JsonModel):
    """The result of a drill."""

    backup: str
    """The backup that was restored."""
    when: str
    """When the drill ran, ISO 8601 with its offset."""
    ok: bool
    """Whether the restored copy had every row, migration and file."""
    reason: str
    """What was missing; empty after a success."""
    seconds: float
    """Duration in seconds."""
    tables: int | None = None
    """Tables counted; absent after a failure."""
    missing: list[str] | None = None
    """Migrations that the workspace's CVAT has applied and the backup lacks; absent after a failure."""
    rows: int | None = None
    """Rows counted; each table has as many as were recorded with the backup; absent after a failure."""
    files_read: str | None = None
    """Part of CVAT's files that was read; absent after a failure, and on target scaleway."""
    files_count: int | None = None
    """CVAT's files in the backup, each as recorded when it was made; absent as ``files_read``."""
    files_bytes: int | None = None
    """Their bytes."""
    recorded: bool | None = None
    """On target scaleway: false for a dump without recorded row counts, whose rows could not be compared."""

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Proof:
        """Parse what a drill recorded, without keys that only the backup program of another release knows.

        Raises ``OpsError`` when the record is not one of a drill.
        """
        try:
            return cls.model_validate({key: record[key] for key in cls.model_fields if key in record})
        except ValidationError as error:
            raise OpsError(f"the record of a drill cannot be read: {error.errors()[0]['loc']}") from None


class BackupState(JsonModel):
    """The backups in a status; keys after ``warnings`` are absent or null when they were not measured."""

    where: str | None = None
    """A folder of this machine, or a bucket."""
    schedule: str | None = None
    """The schedule as text, such as ``every 24 h``."""
    keep: str | None = None
    """The retention as text."""
    warnings: list[str] | None = None
    """What needs attention soon."""
    copies: int | None
    """How many backups there are."""
    last: str | None
    """When the newest complete backup was taken, UTC."""
    last_id: str | None = None
    """Its id."""
    last_archived: str | None
    """The newest archived WAL segment of PostgreSQL."""
    last_archived_at: str | None = None
    """When it was archived, UTC."""
    free_bytes: int | None = None
    """Free bytes of the disk that holds the backups."""
    used_percent: float | None = None
    """Used part of that disk in percent."""
    drill: Proof | None = None
    """The result of the newest drill."""


UNKNOWN = BackupState(copies=None, last=None, last_archived=None)
"""The state of backups that were not measured."""
