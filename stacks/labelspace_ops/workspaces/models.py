"""The JSON that scripts rely on: what each command prints with ``--json``, and what a stack exports.

A key that is named here stays within a major version. Tests compare the printed JSON with these models, and
docs/reference is generated from them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from labelspace_ops.workspaces.preview import Preview


class JsonModel(BaseModel):
    """Base of the models: a key with a default may be absent, and no other key is printed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Check(JsonModel):
    """The result of one check."""

    name: str
    """A container, ``health``, ``drift``, a bucket, a disk, a part of the machine or of Scaleway."""
    ok: bool
    """Whether the check passed."""
    detail: str
    """The measured state, and the next step when the check failed."""


class BucketRow(JsonModel):
    """A dataset bucket in a status."""

    name: str
    """The bucket's name."""
    endpoint: str
    """S3 endpoint, as URL."""
    objects: int | None
    """Number of objects; null when the bucket was not measured."""
    bytes: int | None
    """Total size of the objects in bytes; null when the bucket was not measured."""


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
    recorded: bool | None = None
    """On target scaleway: false for a dump without recorded row counts, whose rows could not be compared."""


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


class VolumeState(JsonModel):
    """A data volume on Scaleway."""

    id: str
    """The volume's id, a value of the setting ``scaleway.adopt_volume``."""
    bytes: int
    """Its size in bytes, which Scaleway bills."""
    attached: bool
    """Whether a server uses it."""


class Status(JsonModel):
    """The measured status of a workspace."""

    name: str
    """Its name."""
    target: str
    """Where it runs: ``local`` or ``scaleway``."""
    description: str
    """What it is for."""
    since: str | None = None
    """Since when the workspace has been asleep, on target local."""
    status: str
    """``creating``, ``ready``, ``degraded``, ``stopped``, ``asleep``, ``failed``, ``deleting``,
    ``deleted`` (only the data is left)."""
    url: str
    """URL of the annotation server for browsers."""
    api_url: str
    """URL of the annotation server for programs."""
    cvat_version: str
    """The annotation server's version."""
    admin_username: str
    """User name of the admin."""
    buckets: list[BucketRow]
    """Its dataset buckets."""
    backup: BackupState
    """Its backups."""
    server: str | None = None
    """State of its Instance, such as ``running``, on target scaleway; null when it was not measured."""
    volume: VolumeState | None = None
    """Its data volume, on target scaleway; null when it was not measured."""
    certificate_until: str | None = None
    """End of the URL's certificate, UTC, on target scaleway; null when it was not measured."""
    cost: dict[str, object] | None = None
    """Its cost in EUR a month, on target scaleway."""
    checks: list[Check]
    """All checks."""


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


class Credentials(JsonModel):
    """How the admin signs in; the password is a secret."""

    username: str
    """User name."""
    email: str
    """E-mail address."""
    password: str
    """Password, in the clear."""


class Uploaded(JsonModel):
    """The result of an upload."""

    bucket: str
    """The dataset bucket."""
    uploaded: int
    """Files sent."""
    skipped: int
    """Files that the bucket already had with the same checksum."""
    not_media: list[str]
    """Objects that CVAT cannot open as images or videos."""


class Stopped(JsonModel):
    """The result of a stop."""

    name: str
    """The workspace."""
    status: str
    """``stopped``."""
    backed_up: bool
    """Whether a last backup was taken."""
    backups: str
    """Folder or bucket of the backups."""


class Deleted(JsonModel):
    """The result of a delete."""

    name: str
    """The workspace."""
    backed_up: bool
    """Whether a last backup was taken."""
    last_backup: str | None = None
    """Its id."""
    backups: str | None
    """Folder or bucket of the backups, which stay; null when they were purged."""
    purged: bool
    """Whether annotations and backups were removed too."""
    come_back: str | None = None
    """The command that creates it again with its data, on target local; null when no data stays."""
    kept: str | None = None
    """What stays and is still billed, on target scaleway."""


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


class BackupRow(JsonModel):
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
    files: bool | None
    """Whether the repository has CVAT's files of the same time; null when it was not measured."""
    latest: dict[str, str]
    """The newest migration of each Django app in the backup; empty when it was not recorded."""
    proof: Proof | None
    """The result of its newest drill."""


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


class KeysExported(JsonModel):
    """The exported recovery kit."""

    file: str
    """Path of the file."""
    keys: list[str]
    """Names of the keys in the file."""


class LoggedIn(JsonModel):
    """The backend that stores the state of workspaces; without a URL argument, ``backend`` alone."""

    backend: str
    """The backend's URL, in Pulumi's form."""
    workspaces: list[str] | None = None
    """Workspaces whose state is in this backend."""
    moved: list[str] | None = None
    """Workspaces that were moved to this backend."""
    left_behind: list[str] | None = None
    """Workspaces whose state stays in the backend of the last login, or in this machine's home."""


class Outputs(JsonModel):
    """What a workspace's stack exports: ``pulumi stack output --json --show-secrets``."""

    url: str
    """URL of the annotation server for browsers; set when the workspace is ready."""
    api_url: str
    """URL of the annotation server for programs (CVAT's REST API)."""
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
    """``where``, ``schedule`` and ``keep``, as text."""
    cvat_version: str
    """The annotation server's version."""
    target: str
    """Where it runs."""
    running: bool
    """False when the workspace is stopped."""
    sleep_after_minutes: int
    """Minutes without a request before the workspace sleeps; 0: never."""
    description: str
    """What it is for."""
    settings: str
    """All settings as JSON, for ``labelspace preview``; secret."""
    address: str | None = None
    """The server's public IPv4 address, on target scaleway."""
    region: str | None = None
    """The region of its resources, on target scaleway."""
    project: str | None = None
    """The project of its resources, on target scaleway."""
    cost: dict[str, object] | None = None
    """Its cost in EUR a month, on target scaleway."""


PRINTED: dict[str, Any] = {
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
"""Command -> the type of its ``--json`` output. The output of any other command may still change."""
