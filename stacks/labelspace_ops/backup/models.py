"""Backups as commands print them and as modules pass them to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, ValidationError

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.models import JsonModel


class Recorded(JsonModel):
    """A model that the backup program writes, whose release may know more keys."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Parse what the program wrote, without unknown keys; raises ``OpsError`` for anything else."""
        try:
            return cls.model_validate({key: values[key] for key in cls.model_fields if key in values})
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise OpsError(f"the backup program's {cls.__name__} cannot be read: {where}") from None


class Proof(Recorded):
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


class Rehearsal(JsonModel):
    """What a rehearsal of an upgrade found: the new version migrated and served a copy of a backup."""

    backup: str
    """The backup that was restored."""
    version: str
    """The version that was rehearsed."""
    seconds: float
    """Duration in seconds, of which the upgrade itself repeats the migration."""
    rows: int
    """Rows of the backup; the migrated copy has at least as many in each table."""
    tables: int
    """Tables of the backup."""
    dropped: list[str]
    """Columns with rows that the migration removed on purpose, as ``table.column``."""
    health: int
    """Parts of the new version that reported health."""
    task: int | None
    """The task that was read and exported; null where there is none."""
    compared: dict[str, int]
    """Labels, tags, shapes, tracks and exported images of that task, equal before and after."""

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        shown = ", ".join(f"{count} {name}" for name, count in self.compared.items() if count)
        task = f"; task {self.task} is the same before and after ({shown})" if shown else ""
        gone = f"; dropped on purpose: {len(self.dropped)} columns" if self.dropped else ""
        return f"migrated and served, and no row of {self.backup} is missing{task}{gone}"


class BackupTaken(JsonModel):
    """A backup that was taken."""

    name: str
    """The workspace."""
    id: str
    """The backup's id."""
    kind: str
    """``full``, ``diff`` or ``incr``; ``snapshot`` on target scaleway."""
    size: int
    """Size of the database in bytes."""
    added: int
    """Bytes that the backup added to the repository."""


class BackupRow(Recorded):
    """A backup in the list."""

    id: str
    """The backup's id, for ``restore --backup``."""
    when: str
    """When it was complete, ISO 8601."""
    kind: str
    """``full``, ``diff`` or ``incr``; ``snapshot`` or ``dump`` on target scaleway."""
    size: int
    """Size of the database in bytes."""
    added: int
    """Bytes that the backup added to the repository."""
    complete: bool
    """Whether its restore point and row counts were recorded."""
    timeline: int
    """PostgreSQL's timeline; each restore begins a new one. 0: a managed database, or not measured."""
    rows: int | None
    """Rows of all tables when it was taken; null when it is not complete."""
    files: bool | None = None
    """Whether the repository has CVAT's files of the same time; null when it was not measured."""
    latest: dict[str, str]
    """The newest migration of each Django app in the backup; empty when it was not recorded."""
    proof: Proof | None = None
    """The result of its newest drill."""
    identities: dict[str, str] = Field(default_factory=dict)
    """The identity of each volume of CVAT's files when it was taken; empty for a volume without one."""
    files_count: int | None = None
    """CVAT's files in it; null when they were not recorded."""
    files_bytes: int | None = None
    """Their bytes."""
    shrunk: str = ""
    """What shrank by more than ``max_shrink_percent`` since the backup before, until it is accepted."""

    lost_from: str = ""
    """Changes from this time until the backup cannot be restored, ISO 8601: too many waited for the archive.
    Empty when none are lost."""

    @property
    def is_dump(self) -> bool:
        """Whether it holds one moment, without an archive of the changes after it."""
        return self.kind == "dump"


class LostRange(JsonModel):
    """Changes that no restore reaches."""

    since: str
    """ISO 8601."""
    until: str | None
    """When the next complete backup was made, ISO 8601; null before there is one."""


class Backups(JsonModel):
    """A workspace's backups."""

    name: str
    """The workspace."""
    backups: list[BackupRow]
    """Newest last."""
    restorable_from: str | None
    """The oldest time that can be restored; null when there is none yet."""


class Restored(JsonModel):
    """The result of a restore."""

    name: str
    """The workspace."""
    to: str
    """The time that was restored."""
    from_backup: str
    """The backup that the restore started from."""
    last_change: str | None
    """The last restored change after that backup; null when there is none."""
    kept: str | None
    """The backup of the replaced data."""
    lost: str
    """What was not restored, as text."""


class Schedule(Recorded):
    """How often backups and drills are made."""

    interval_hours: int
    drill_interval_days: int


class Measured(Recorded):
    """The state of the backups, as the backup program measures it."""

    backups: list[BackupRow]
    """Oldest first, without ``files`` and ``proof``."""
    problems: list[str]
    """What could not be measured, and why."""
    now: float
    """When it was measured, seconds since the epoch."""
    schedule: Schedule
    drill: Proof | None
    archive_fails: bool = False
    waiting_seconds: int = 0
    """How long the oldest change waits for its archive."""
    waiting_bytes: int = 0
    """Changes that wait for the archive."""
    max_waiting_bytes: int = 0
    """What may wait before the oldest is given up; half of the free disk, when that is less."""
    lost_from: str | None = None
    """Changes from this time on are lost to a restore until the next backup, ISO 8601; null for none."""
    last_archived: str | None = None
    last_archived_at: str | None = None
    free_bytes: int | None = None
    used_percent: float | None = None


class Standing(Recorded):
    """What is in the volumes of a workspace."""

    interrupted: bool
    """Whether a restore was interrupted while it replaced the data."""
    data: bool
    """Whether there is a database."""
    identities: dict[str, str]
    """The identity in each volume of CVAT's files; empty for none."""
    lost_backups: str = ""
    """What is lost, and the next step, if the bucket of backups is empty; empty when it never held any."""


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
    lost: list[LostRange] = Field(default_factory=list)
    """Times that no restore reaches, oldest first: too many changes waited for the archive."""


UNKNOWN = BackupState(copies=None, last=None, last_archived=None)
"""The state of backups that were not measured."""
