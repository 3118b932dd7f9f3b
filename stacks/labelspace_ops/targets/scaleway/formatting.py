"""The copies of a workspace's annotations on Scaleway as rows, alike to those of this machine's backups."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from labelspace_ops.backup.models import BackupRow, Proof
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.storage.listing import NEXT_STEP
from labelspace_ops.targets.scaleway import database_snapshots
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Snapshot

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DUMP = re.compile(r"dumps/(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.dump")
"""What the server calls its dumps in the backup bucket: the id is the time (``labelspace-dump``)."""
MOST_PROOFS = 50
"""More are not read: each is an object of its own."""


def _database_alone(id_: str, when: datetime, kind: str, size: int, *, complete: bool = True) -> BackupRow:
    """A backup of the database without CVAT's files."""
    return BackupRow(
        id=id_,
        when=parse_time(when),
        kind=kind,
        size=size,
        added=size,
        complete=complete,
        timeline=0,
        rows=None,
        files=False,
        latest={},
        proof=None,
    )


def snapshot_row(row: Snapshot) -> BackupRow:
    """One snapshot."""
    when = datetime.fromisoformat(row.created_at)
    return _database_alone(row.id, when, "snapshot", row.size or 0, complete=row.status == "ready")


def dump_row(key: str, size: int) -> list[BackupRow]:
    """A dump, always complete; an empty list for another object."""
    dump = DUMP.fullmatch(key)
    if dump is None:
        return []
    try:
        when = datetime.strptime(dump[1], "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)
    except ValueError:
        return []
    return [_database_alone(dump[1], when, "dump", size)]


def parse_time(when: datetime) -> str:
    """In UTC, to the second."""
    return when.astimezone(UTC).isoformat(timespec="seconds")


def with_proofs(dumps: list[BackupRow], proofs: list[Proof]) -> list[BackupRow]:
    """The dumps, each with the newest of ``proofs`` (newest last) that is of it."""
    newest = {proof.backup: proof for proof in proofs}
    return [row.model_copy(update={"proof": newest.get(row.id)}) for row in dumps]


def list_dumps(s3: S3Client, bucket: str) -> list[BackupRow]:
    """The dumps of a backup bucket, newest last; raises ``OpsError`` when it cannot be listed."""
    found = [row for key, size, _ in _listed(s3, bucket, "dumps/") for row in dump_row(key, size)]
    return sorted(found, key=lambda row: row.when)


def list_proofs(s3: S3Client, bucket: str) -> list[Proof]:
    """What the last drills found, newest last; raises ``OpsError`` when that cannot be read."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

    found = sorted(_listed(s3, bucket, "proofs/"), key=lambda one: one[2])[-MOST_PROOFS:]
    try:
        texts = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key, _, _ in found]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {reason(error)}: {NEXT_STEP}") from None
    return read_proofs(texts)


def read_proofs(texts: Iterable[str]) -> list[Proof]:
    """Proofs as the server wrote them, newest last; raises ``OpsError`` when they are none."""
    try:
        return sorted((Proof.read(json.loads(text)) for text in texts), key=lambda proof: proof.when)
    except (ValueError, TypeError, OpsError):
        raise OpsError("a proof in the backup bucket (proofs/) is not one: remove it there") from None


def _listed(s3: S3Client, bucket: str, prefix: str) -> list[tuple[str, int, datetime]]:
    """Key, size and time of each object."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        items = [item for page in pages for item in page.get("Contents", [])]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {reason(error)}: {NEXT_STEP}") from None
    return [(str(item["Key"]), int(item["Size"]), item["LastModified"]) for item in items]


def list_snapshots(mine: Account, database: database_snapshots.Database | None) -> list[BackupRow]:
    """The snapshots of a workspace's database, newest last."""
    return [snapshot_row(row) for row in database_snapshots.snapshots(mine, database)] if database else []
