"""A workspace's dataset buckets over S3: what is in them, and uploads that can be taken up again."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from labelspace.home import Home
from labelspace.spec import BackupBucketSpec
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

IN_PARTS = 64 * 2**20
"""Files from this size on (bytes) go in parts."""
AT_A_TIME = 8
"""Files on their way."""
MANY = 20
"""From so many files on, the bucket is listed once instead of asked about each."""


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


def connect(
    endpoint: str, region: str, access_key: str = "", secret_key: str = "", *, verify: str | None = None
) -> S3Client:
    """An S3 client; without keys requests are not signed, as for a public bucket."""
    signing = {} if access_key else {"signature_version": UNSIGNED}
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        region_name=region,
        verify=verify,
        config=Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"max_attempts": 4},
            max_pool_connections=3 * AT_A_TIME,
            **signing,
        ),
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


def send_all(s3: S3Client, bucket: str, uploads: list[Upload], progress: Callable[[int], None]) -> int:
    """Send every file, several at a time; how many were not there yet. The first failure ends it."""
    known = _known(s3, bucket, uploads) if len(uploads) >= MANY else None
    over = threading.Event()
    todo = iter(uploads)

    def work() -> int:
        """Takes the next file as soon as it has time: however many there are, few are in memory."""
        sent = 0
        try:
            while not over.is_set() and (upload := next(todo, None)):
                sent += send(s3, bucket, upload, progress, known)
        except OpsError:
            over.set()
            raise
        return sent

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            return sum(done.result() for done in as_completed([pool.submit(work) for _ in range(AT_A_TIME)]))
        finally:
            over.set()  # after Ctrl-C too


def _known(s3: S3Client, bucket: str, uploads: list[Upload]) -> set[str]:
    """The keys that are there, a thousand an answer: it spares a question about every file."""
    prefix = os.path.commonprefix([upload.key for upload in uploads])  # noqa: RUF071 - keys are strings
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        return {item["Key"] for page in pages for item in page.get("Contents", [])}
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket}: {error}") from None


def send(
    s3: S3Client,
    bucket: str,
    upload: Upload,
    progress: Callable[[int], None],
    known: Container[str] | None = None,
) -> bool:
    """Upload one file and check what arrived; False when the same content is there already.

    ``known``: every key that is there, when the caller has asked.
    """
    digest = _digest(upload.path)
    if (known is None or upload.key in known) and _is_there(s3, bucket, upload, digest):
        progress(upload.size)
        return False
    try:
        arrived = (_put if upload.size < IN_PARTS else _put_in_parts)(s3, bucket, upload, digest, progress)
    except Exception as error:
        raise OpsError(
            f"{upload.path}: upload failed ({error}): run the same command again, it goes on"
        ) from None
    if not arrived:
        raise OpsError(f"{upload.path}: what arrived differs in size or checksum: run the same command again")
    return True


def _put(s3: S3Client, bucket: str, upload: Upload, digest: str, progress: Callable[[int], None]) -> bool:
    """In one request; the server compares what arrived with the checksum, and says it again."""
    checksum = b64encode(bytes.fromhex(digest)).decode()
    with upload.path.open("rb") as file:
        answer = s3.put_object(
            Bucket=bucket,
            Key=upload.key,
            Body=file,
            ContentLength=upload.size,
            ChecksumSHA256=checksum,
            Metadata={CHECKSUM: digest},
        )
    progress(upload.size)
    return answer.get("ChecksumSHA256") == checksum or _is_there(s3, bucket, upload, digest)


def _put_in_parts(
    s3: S3Client, bucket: str, upload: Upload, digest: str, progress: Callable[[int], None]
) -> bool:
    s3.upload_file(
        str(upload.path),
        bucket,
        upload.key,
        ExtraArgs={"Metadata": {CHECKSUM: digest}, "ChecksumAlgorithm": "SHA256"},
        Callback=progress,
        Config=TransferConfig(
            multipart_threshold=IN_PARTS, multipart_chunksize=16 * 2**20, max_concurrency=2
        ),
    )
    return _is_there(s3, bucket, upload, digest)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_there(s3: S3Client, bucket: str, upload: Upload, digest: str) -> bool:
    try:
        head = s3.head_object(Bucket=bucket, Key=upload.key)
    except ClientError:
        return False
    return head["ContentLength"] == upload.size and head["Metadata"].get(CHECKSUM) == digest


def remove_backups(bucket: BackupBucketSpec, workspace: str) -> None:
    """Remove a workspace's backups from their bucket; raises ``OpsError`` when they cannot be."""
    prefix = f"labelspace/{workspace}/"
    try:
        with _of_backups(bucket) as s3:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=prefix):
                for item in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket.name, Key=item["Key"])
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"backup.bucket: {prefix} in {bucket.name} cannot be removed: {error}") from None


def holds_backups(bucket: BackupBucketSpec, workspace: str) -> bool:
    """Whether a bucket has anything of a workspace's backups; raises ``UsageError`` without an answer."""
    try:
        with _of_backups(bucket) as s3:
            found = s3.list_objects_v2(Bucket=bucket.name, Prefix=f"labelspace/{workspace}/", MaxKeys=1)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(
            f"backup.bucket: {bucket.name!r} at {bucket.endpoint} cannot be listed ({error}): check name,"
            " endpoint, region, keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), authority (AWS_CA_BUNDLE)"
        ) from None
    return bool(found.get("Contents"))


@contextmanager
def _of_backups(bucket: BackupBucketSpec) -> Iterator[S3Client]:
    keys = [key.get_secret_value() for key in (bucket.access_key, bucket.secret_key)]
    with _authority(bucket.ca_certificate) as verify:
        yield connect(bucket.endpoint, bucket.region, *keys, verify=verify)


@contextmanager
def _authority(certificate: str | None) -> Iterator[str | None]:
    """A file with the authority's certificate, as boto3 takes it; None: those that the machine knows."""
    if certificate is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate)
        file.flush()
        yield file.name


def kept(home: Home) -> list[str]:
    """Buckets of this machine, of any workspace or of none."""
    return sorted(path.name for path in home.buckets.glob("*") if path.is_dir() and path.name[0] != ".")
