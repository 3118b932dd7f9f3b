"""The JSON that scripts rely on: what each command prints with ``--json``, and what a stack exports.

A key that is named here stays within a major version. Tests compare the printed JSON with these models, and
docs/reference is generated from them.
"""

from __future__ import annotations

from typing import Any

from labelspace_ops.audit.results import AuditReport
from labelspace_ops.backup.models import Backups, BackupTaken, Proof, Restored
from labelspace_ops.core.checks import Check
from labelspace_ops.core.models import JsonModel
from labelspace_ops.targets.status import Row, Status
from labelspace_ops.workspaces.lifecycle import Deleted, Stopped
from labelspace_ops.workspaces.login import LoggedIn
from labelspace_ops.workspaces.preview import Preview
from labelspace_ops.workspaces.upgrade import Upgrade


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
    """Files uploaded."""
    skipped: int
    """Files that the bucket already had with the same checksum."""
    not_media: list[str]
    """Uploaded objects that CVAT cannot open as images or videos."""
    unreadable: list[str]
    """Objects under the prefix that CVAT's user cannot read, in a folder of this machine."""
    rejected: dict[str, str]
    """Files that can never be uploaded as they are, each with the reason; the exit code is 1 then."""


class KeysExported(JsonModel):
    """The exported recovery kit."""

    file: str
    """Path of the file."""
    keys: list[str]
    """Names of the keys in the file."""


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
    """Each dataset bucket's ``name``, ``endpoint`` and ``region``; ``path`` for a folder of your own."""
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
    images: dict[str, str] | None = None
    """Digest of each image that its containers were created from, by name, on target local."""
    sleep_after_minutes: int | None = None
    """Minutes without a request before the workspace sleeps, on target local; 0: never."""
    database: str | None = None
    """Kind of database: ``own`` or ``external``; on target scaleway ``managed`` or ``server``."""
    deleted: bool | None = None
    """True when only what holds data is left, on target local."""
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
    namespace: str | None = None
    """The namespace of its pods, on target kubernetes."""
    context: str | None = None
    """The context of the kubeconfig file, on target kubernetes; empty: the current one."""
    image_prefix: str | None = None
    """What the names of its images begin with, on target kubernetes."""
    image_pull_secret: str | None = None
    """The secret with the login of their registry, on target kubernetes; empty: none."""


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
    "upgrade": Upgrade,
    "login": LoggedIn,
    "keys export": KeysExported,
    "keys import": dict[str, str],
}
"""Command -> the type of its ``--json`` output. The output of any other command may still change."""
