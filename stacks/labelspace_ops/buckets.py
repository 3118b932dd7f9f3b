"""A workspace's dataset buckets over S3: what is in them, and uploads that can be taken up again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from labelspace.home import Home
from labelspace_ops import cloud
from labelspace_ops.errors import OpsError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEDIA = {
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pcd", ".bin"),
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".zip", ".tar", ".gz", ".rar", ".7z", ".pdf"),
}
"""Endings that CVAT opens (cvat/apps/engine/media.mimetypes)."""
CHECKSUM = "sha256"
"""Metadata key of an object's own checksum, hexadecimal."""


@dataclass(frozen=True)
class Upload:
    """One file and the object it becomes."""

    path: Path
    key: str
    size: int

    @property
    def opens_in_cvat(self) -> bool:
        """Whether CVAT can make frames of it."""
        return Path(self.key).suffix.lower() in MEDIA


def client(outputs: dict[str, Any], bucket: str) -> S3Client:
    """An S3 client for one bucket: with the workspace's own keys of it, or as the account on Scaleway."""
    if outputs["target"] == "scaleway":
        return cloud.storage(outputs["region"])
    found = next(one for one in outputs["buckets"] if one["name"] == bucket)
    return connect(found["endpoint"], found["region"], **outputs["bucket_keys"][bucket])


def connect(endpoint: str, region: str, access_key: str = "", secret_key: str = "") -> S3Client:
    """An S3 client; without keys requests are not signed, as for a public bucket."""
    signing = {} if access_key else {"signature_version": UNSIGNED}
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        region_name=region,
        config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4}, **signing),
    )


def size(s3: S3Client, bucket: str) -> tuple[int, int]:
    """Objects and bytes of a bucket; raises ``OpsError`` when it cannot be read."""
    objects = total = 0
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                objects, total = objects + 1, total + item["Size"]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {error}") from None
    return objects, total


def plan(paths: list[Path], prefix: str) -> list[Upload]:
    """Every file under ``paths``; raises ``UsageError`` for one that cannot be read; sends nothing."""
    uploads = [upload for path in paths for upload in _under(path, prefix)]
    for upload in uploads:
        if not os.access(upload.path, os.R_OK):
            raise _unreadable(upload.path)
    return uploads


def _unreadable(path: Path | str) -> UsageError:
    return UsageError(f"path: {path} cannot be read: check its permissions")


def _under(path: Path, prefix: str) -> Iterator[Upload]:
    if not path.exists():
        raise UsageError(f"path: {path} does not exist: check the spelling")
    if path.is_file():
        yield Upload(path, prefix + path.name, path.stat().st_size)
        return
    for file in sorted(_files(path)):
        yield Upload(file, prefix + file.relative_to(path).as_posix(), file.stat().st_size)


def _files(path: Path) -> Iterator[Path]:
    """Every file of a folder; one that cannot be looked into is an error, never passed over."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error.filename)

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (file for name in names if (file := Path(folder) / name).is_file())


def send(s3: S3Client, bucket: str, upload: Upload, progress: Callable[[int], None]) -> bool:
    """Upload one file and check what arrived; False when the same content is there already."""
    digest = _digest(upload.path)
    if _is_there(s3, bucket, upload, digest):
        progress(upload.size)
        return False
    try:
        s3.upload_file(
            str(upload.path),
            bucket,
            upload.key,
            ExtraArgs={"Metadata": {CHECKSUM: digest}, "ChecksumAlgorithm": "SHA256"},
            Callback=progress,
            Config=TransferConfig(multipart_threshold=64 * 2**20, multipart_chunksize=16 * 2**20),
        )
    except Exception as error:
        raise OpsError(
            f"{upload.path}: upload failed ({error}): run the same command again, it goes on"
        ) from None
    if not _is_there(s3, bucket, upload, digest):
        raise OpsError(f"{upload.path}: what arrived differs in size or checksum: run the same command again")
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_there(s3: S3Client, bucket: str, upload: Upload, digest: str) -> bool:
    try:
        head = s3.head_object(Bucket=bucket, Key=upload.key)
    except ClientError:
        return False
    return head["ContentLength"] == upload.size and head["Metadata"].get(CHECKSUM) == digest


def kept(home: Home) -> list[str]:
    """Buckets of this machine, of any workspace or of none."""
    return sorted(path.name for path in home.buckets.glob("*") if path.is_dir() and path.name[0] != ".")
