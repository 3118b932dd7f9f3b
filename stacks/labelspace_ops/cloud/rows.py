"""The copies of a workspace's annotations on Scaleway as rows, alike to those of this machine's backups."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labelspace_ops.cloud import copies
from labelspace_ops.cloud.account import Account
from labelspace_ops.errors import OpsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DUMP = re.compile(r"dumps/(\S+)\.dump")
"""What the server calls its dumps in the backup bucket: the id is the time (``labelspace-dump``)."""
OF_THE_DATABASE: dict[str, Any] = {"timeline": 0, "rows": None, "files": False, "latest": {}, "proof": None}
"""What a copy of the database alone says of the rest."""


def of_snapshot(row: dict[str, Any]) -> dict[str, Any]:
    """One snapshot."""
    size = int(row["size"] or 0)
    seen = {"id": row["id"], "when": moment(datetime.fromisoformat(row["created_at"])), "kind": "snapshot"}
    return {**seen, "size": size, "added": size, "complete": row["status"] == "ready", **OF_THE_DATABASE}


def of_dump(key: str, size: int) -> list[dict[str, Any]]:
    """A dump, whole as there are no others; nothing for what is none."""
    dump = DUMP.fullmatch(key)
    if dump is None:
        return []
    when = datetime.strptime(dump[1], "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)
    seen = {"id": dump[1], "when": moment(when), "kind": "dump"}
    return [{**seen, "size": size, "added": size, "complete": True, **OF_THE_DATABASE}]


def moment(when: datetime) -> str:
    """In UTC, to the second."""
    return when.astimezone(UTC).isoformat(timespec="seconds")


def dumps(s3: S3Client, bucket: str) -> list[dict[str, Any]]:
    """The dumps of a backup bucket, newest last; raises ``OpsError`` when it cannot be listed."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="dumps/")
        items = [item for page in pages for item in page.get("Contents", [])]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {error}") from None
    found = [row for item in items for row in of_dump(str(item["Key"]), int(item["Size"]))]
    return sorted(found, key=lambda row: str(row["when"]))


def snapshots(mine: Account, database: copies.Database | None) -> list[dict[str, Any]]:
    """The snapshots of a workspace's database, newest last."""
    return [of_snapshot(row) for row in copies.snapshots(mine, database)] if database else []
