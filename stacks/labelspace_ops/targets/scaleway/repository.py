"""What the names of a repository's objects say of it, without its key: the layout is pgBackRest's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from labelspace_ops.backup.models import BackupRow
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.storage.listing import NEXT_STEP
from labelspace_ops.targets.scaleway.formatting import parse_time

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LABEL = re.compile(r"\d{8}-\d{6}F(_\d{8}-\d{6}([DI]))?")
KINDS = {None: "full", "D": "diff", "I": "incr"}
WHOLE = "backup.manifest"
"""Written when a backup is whole."""
SEGMENT = re.compile(r"([0-9A-F]{24})-[0-9a-f]{40}(\.\w+)?")


def backups(s3: S3Client, where: str) -> list[BackupRow]:
    """The backups below ``where`` (``s3://BUCKET/FOLDER``), oldest first, as that program lists them."""
    bucket, folder = _place(where)
    prefix = f"{folder}/database/backup/main/"
    sizes: dict[str, int] = {}
    ends: dict[str, Any] = {}
    for item in _objects(s3, bucket, prefix):
        label, _, rest = str(item["Key"]).removeprefix(prefix).partition("/")
        sizes[label] = sizes.get(label, 0) + int(item["Size"])
        if rest == WHOLE:
            ends[label] = item["LastModified"]
    return [_row(label, sizes[label], ends.get(label)) for label in sorted(sizes) if LABEL.fullmatch(label)]


def _row(label: str, size: int, end: Any) -> BackupRow:
    """Rows, files and proof are unknown without the key."""
    found = LABEL.fullmatch(label)
    return BackupRow(
        id=label,
        when=parse_time(end) if end else "",
        kind=KINDS[found[2]] if found else "",
        size=size,
        added=size,
        complete=end is not None,
        timeline=0,
        rows=None,
        files=None,
        latest={},
        proof=None,
    )


def last_archived(s3: S3Client, where: str) -> tuple[str, str] | None:
    """The newest WAL segment and when it came; only the newest folder is looked into."""
    bucket, folder = _place(where)
    prefix = f"{folder}/database/archive/main/"
    for _ in ("version", "timeline and log"):
        inner = sorted(_folders(s3, bucket, prefix))
        if not inner:
            return None
        prefix = inner[-1]
    found = {
        segment[1]: item["LastModified"]
        for item in _objects(s3, bucket, prefix)
        if (segment := SEGMENT.fullmatch(str(item["Key"]).rpartition("/")[2]))
    }
    return (max(found), parse_time(found[max(found)])) if found else None


def holds(s3: S3Client, bucket: str, prefix: str) -> bool:
    """Whether anything lies below a prefix."""
    return next(_objects(s3, bucket, prefix), None) is not None


def _place(where: str) -> tuple[str, str]:
    bucket, _, folder = where.removeprefix("s3://").partition("/")
    return bucket, folder


def _objects(s3: S3Client, bucket: str, prefix: str) -> Iterator[Any]:
    return (item for page in _pages(s3, bucket, prefix) for item in page.get("Contents", []))


def _folders(s3: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    pages = _pages(s3, bucket, prefix, Delimiter="/")
    return (str(one["Prefix"]) for page in pages for one in page.get("CommonPrefixes", []))


def _pages(s3: S3Client, bucket: str, prefix: str, **more: Any) -> Iterator[Any]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

    try:
        yield from s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **more)
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {reason(error)}: {NEXT_STEP}") from None
