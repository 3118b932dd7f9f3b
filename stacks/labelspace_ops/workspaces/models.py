"""The JSON that scripts rely on: what each command prints with ``--json``, and what a stack exports.

A key that is named here stays within a major version. The tests hold what really is printed against it;
the reference in docs/ is made from it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from labelspace_ops.audit.results import AuditReport
from labelspace_ops.workspaces.preview import Preview


class JsonModel(BaseModel):
    """Keys with their types; one with a default may be absent. No other key is printed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Check(JsonModel):
    """One thing that was looked at."""

    name: str
    """A container, ``health``, ``drift``, a bucket, a disk, a part of the machine or of Scaleway."""
    ok: bool
    """Whether it is as it must be."""
    detail: str
    """What was seen; what to do when it is not ok."""


class BucketRow(JsonModel):
    """A dataset bucket in a status."""

    name: str
    """The bucket's name."""
    endpoint: str
    """S3 endpoint, as URL."""
    objects: int | None
    """How many objects; null when it was not asked."""
    bytes: int | None
    """Their size together, in bytes; null when it was not asked."""


class Proof(JsonModel):
    """What a drill found."""

    backup: str
    """The backup that was restored."""
    when: str
    """When, ISO 8601 with its offset."""
    ok: bool
    """Whether every row, migration and file was there."""
    reason: str
    """What was not; empty when all was."""
    seconds: float
    """How long it took."""
    tables: int | None = None
    """Tables counted; absent after a failure."""
    missing: list[str] | None = None
    """Migrations that the workspace's CVAT has and the backup has not; absent when nothing was proven."""
    rows: int | None = None
    """Rows counted, in each table as many as were recorded with the backup; absent after a failure."""
    files_read: str | None = None
    """How much of CVAT's files was read; absent after a failure, and on target scaleway."""
    recorded: bool | None = None
    """On target scaleway: false for a dump without a record, which was restored and counted alone."""


class BackupState(JsonModel):
    """The backups in a status; keys beyond ``warnings`` are absent or null when they were not asked."""

    where: str | None = None
    """A folder of this machine, or a bucket."""
    schedule: str | None = None
    """When they are made, for people."""
    keep: str | None = None
    """How long they are kept, for people."""
    warnings: list[str] | None = None
    """What needs attention soon."""
    copies: int | None
    """How many backups there are."""
    last: str | None
    """When the newest whole one was made, UTC."""
    last_id: str | None = None
    """Its id."""
    last_archived: str | None
    """The newest file of the change log that was archived."""
    last_archived_at: str | None = None
    """When that was."""
    free_bytes: int | None = None
    """Free space where the backups lie."""
    used_percent: float | None = None
    """Used part of that disk."""
    drill: Proof | None = None
    """The newest proof."""


class VolumeState(JsonModel):
    """A data volume on Scaleway."""

    id: str
    """Its id, as the setting ``scaleway.adopt_volume`` takes it."""
    bytes: int
    """Its size, which is paid."""
    attached: bool
    """Whether a server uses it."""


class Status(JsonModel):
    """What a workspace is right now."""

    name: str
    """Its name."""
    target: str
    """Where it runs: ``local`` or ``scaleway``."""
    description: str
    """What it is for."""
    since: str | None = None
    """Since when it has been asleep, on target local."""
    status: str
    """``creating``, ``ready``, ``degraded``, ``stopped``, ``asleep``, ``failed``, ``deleting``,
    ``deleted`` (only what holds data is left)."""
    url: str
    """Where people work."""
    api_url: str
    """The same server for programs."""
    cvat_version: str
    """The annotation server's version."""
    admin_username: str
    """User name of the admin."""
    buckets: list[BucketRow]
    """Its dataset buckets."""
    backup: BackupState
    """Its backups."""
    server: str | None = None
    """State of its Instance, such as ``running``, on target scaleway; null when it was not asked."""
    volume: VolumeState | None = None
    """Its data volume, on target scaleway; null when it was not asked."""
    certificate_until: str | None = None
    """Until when the URL's certificate is valid, UTC, on target scaleway; null when it was not asked."""
    cost: dict[str, object] | None = None
    """What it costs, on target scaleway."""
    checks: list[Check]
    """Everything that was looked at."""


class Row(JsonModel):
    """A workspace in the list."""

    name: str
    """Its name."""
    target: str
    """Where it runs."""
    status: str
    """As in its status."""
    url: str
    """Where people work."""


class Credentials(JsonModel):
    """How the admin signs in; the password is a secret."""

    username: str
    """User name."""
    email: str
    """E-mail address."""
    password: str
    """Password, in the clear."""


class Uploaded(JsonModel):
    """What an upload did."""

    bucket: str
    """Where to."""
    uploaded: int
    """Files sent."""
    skipped: int
    """Files that were there already, with the same checksum."""
    not_media: list[str]
    """Objects that CVAT cannot open as images or videos."""


class Stopped(JsonModel):
    """What a stop did."""

    name: str
    """The workspace."""
    status: str
    """``stopped``."""
    backed_up: bool
    """Whether a last backup was taken."""
    backups: str
    """Where backups are."""


class Deleted(JsonModel):
    """What a delete did."""

    name: str
    """The workspace."""
    backed_up: bool
    """Whether a last backup was taken."""
    last_backup: str | None = None
    """Its id."""
    backups: str | None
    """Where backups stay; null when they were purged."""
    purged: bool
    """Whether annotations and backups were removed, too."""
    come_back: str | None = None
    """The command that makes it again from what stays, on target local; null when nothing stays."""
    kept: str | None = None
    """What goes on costing money, on target scaleway."""


class BackupTaken(JsonModel):
    """A backup that was taken."""

    name: str
    """The workspace."""
    id: str
    """The backup's id."""
    kind: str
    """``full``, ``diff`` or ``incr``; ``snapshot`` on target scaleway."""
    size: int
    """Bytes of the database that it stands for."""
    added: int
    """Bytes that it added to the repository."""


class BackupRow(JsonModel):
    """A backup in the list."""

    id: str
    """What ``restore --backup`` takes."""
    when: str
    """When it was complete, ISO 8601."""
    kind: str
    """``full``, ``diff`` or ``incr``; ``snapshot`` or ``dump`` on target scaleway."""
    size: int
    """Bytes of the database that it stands for."""
    added: int
    """Bytes that it added to the repository."""
    complete: bool
    """Whether its restore point and row counts were recorded."""
    timeline: int
    """PostgreSQL's timeline: each restore begins a new one; 0 of a managed database, or not asked."""
    rows: int | None
    """Rows of all tables when it was taken; null when it is not complete."""
    files: bool | None
    """Whether CVAT's files of the same moment are there; null when it was not asked."""
    latest: dict[str, str]
    """The newest migration of each Django app that was in it; empty when that was not recorded."""
    proof: Proof | None
    """Its newest proof."""


class Backups(JsonModel):
    """A workspace's backups."""

    name: str
    """The workspace."""
    backups: list[BackupRow]
    """Newest last."""
    restorable_from: str | None
    """The oldest moment that can be restored; null: none yet."""


class Restored(JsonModel):
    """What a restore did."""

    name: str
    """The workspace."""
    to: str
    """The moment it was brought back to."""
    from_backup: str
    """The backup that it started from."""
    last_change: str | None
    """The last change that came back after that backup."""
    kept: str | None
    """The backup of what was replaced."""
    lost: str
    """What did not come back, for people."""


class KeysExported(JsonModel):
    """The recovery kit that was written."""

    file: str
    """Where."""
    keys: list[str]
    """Names of the keys in it."""


class LoggedIn(JsonModel):
    """Where the state of workspaces is kept; without URL, ``backend`` alone."""

    backend: str
    """The URL, as Pulumi takes it."""
    workspaces: list[str] | None = None
    """Names of those whose state is there."""
    moved: list[str] | None = None
    """Names of those that were moved there."""
    left_behind: list[str] | None = None
    """Names of those whose state is where the last login was, or in this machine's home."""


class Outputs(JsonModel):
    """What a workspace's stack exports: ``pulumi stack output --json --show-secrets``."""

    url: str
    """Where people work; there when the workspace is ready."""
    api_url: str
    """The same server for programs (CVAT's REST API)."""
    admin_username: str
    """User name of the admin."""
    admin_email: str
    """E-mail address of the admin."""
    admin_password: str
    """Password of the admin; secret."""
    buckets: list[dict[str, str]]
    """Each dataset bucket's ``name``, ``endpoint`` and ``region``."""
    bucket_keys: dict[str, dict[str, str]]
    """``access_key`` and ``secret_key`` of each bucket by its name; secret."""
    backups: dict[str, str]
    """``where``, ``schedule`` and ``keep``, for people."""
    cvat_version: str
    """The annotation server's version."""
    target: str
    """Where it runs."""
    running: bool
    """False: it was stopped."""
    sleep_after_minutes: int
    """Minutes without a user before it sleeps; 0: never."""
    description: str
    """What it is for."""
    settings: str
    """The whole wish as JSON, for ``labelspace preview``; secret."""
    address: str | None = None
    """The server's public IPv4 address, on target scaleway."""
    region: str | None = None
    """Where everything of it is, on target scaleway."""
    project: str | None = None
    """The project that everything of it is in, on target scaleway."""
    cost: dict[str, object] | None = None
    """What it costs, on target scaleway."""


PRINTED: dict[str, Any] = {
    "audit": AuditReport,
    "status": Status,
    "create": Status,
    "start": Status,
    "set": Status,
    "list": list[Row],
    "credentials": Credentials,
    "doctor": list[Check],
    "upload": Uploaded,
    "stop": Stopped,
    "delete": Deleted,
    "preview": Preview,
    "backup": BackupTaken,
    "backups": Backups,
    "restore": Restored,
    "drill": Proof,
    "login": LoggedIn,
    "keys export": KeysExported,
    "keys import": dict[str, str],
}
"""Command -> what it prints with ``--json``. A command that is not here promises nothing yet."""
