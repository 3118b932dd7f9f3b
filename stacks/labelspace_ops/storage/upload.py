"""Uploads to a dataset bucket that can be taken up again: many files at a time, each checked on arrival."""

from __future__ import annotations

import hashlib
import os
import threading
from base64 import b64encode
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import obstore

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.storage import object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.storage.object_store import AT_A_TIME

if TYPE_CHECKING:
    from obstore.store import S3Store

MEDIA = {
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pcd", ".bin"),
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".zip", ".tar", ".gz", ".rar", ".7z", ".pdf"),
}
"""Endings that CVAT opens (cvat/apps/engine/media.mimetypes)."""
CHECKSUM = "sha256"
"""Metadata key of an object's own checksum, hexadecimal."""

SMALL = 2**20
"""Files up to this size (bytes) are read at once."""
IN_PARTS = 64 * 2**20
"""Files from this size on (bytes) go in parts."""
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


def plan_upload(paths: list[Path], prefix: str) -> list[Upload]:
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


def upload_all(to: Storage, uploads: list[Upload], progress: Callable[[int], None]) -> int:
    """Send every file, several at a time; how many were not there yet. The first failure ends it."""
    known = _known(to, uploads) if len(uploads) >= MANY else None
    over = threading.Event()
    todo = iter(uploads)

    def work() -> int:
        """Takes the next file as soon as it has time: however many there are, few are in memory."""
        sent = 0
        try:
            while not over.is_set() and (upload := next(todo, None)):
                sent += upload_file(to, upload, progress, known)
        except OpsError:
            over.set()
            raise
        return sent

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            return sum(done.result() for done in as_completed([pool.submit(work) for _ in range(AT_A_TIME)]))
        finally:
            over.set()  # after Ctrl-C too


def _known(to: Storage, uploads: list[Upload]) -> set[str]:
    """Return the keys of the bucket that start like all uploads: one listing, not one request per file."""
    prefix = os.path.commonprefix([upload.key for upload in uploads])  # noqa: RUF071 - keys are strings
    return set(to.list_objects(prefix, lambda key, _: key))


def upload_file(
    to: Storage, upload: Upload, progress: Callable[[int], None], known: Container[str] | None = None
) -> bool:
    """Upload one file and check what arrived; False when the same content is there already.

    ``known``: every key that is there, when the caller has asked.
    """
    try:
        content = upload.path.read_bytes() if to.small is not None and upload.size <= SMALL else None
        digest = _digest(upload.path) if content is None else hashlib.sha256(content).hexdigest()
        if (known is None or upload.key in known) and _is_there(to, upload, digest):
            progress(upload.size)
            return False
        arrived = _sent(to, upload, content, digest, progress)
    except Exception as error:
        raise OpsError(
            f"{upload.path}: upload failed ({error}): run the same command again, it goes on"
        ) from None
    if not arrived:
        raise OpsError(f"{upload.path}: what arrived differs in size or checksum: run the same command again")
    return True


def _sent(
    to: Storage, upload: Upload, content: bytes | None, digest: str, progress: Callable[[int], None]
) -> bool:
    """By the way that suits the file; whether what arrived is what was sent."""
    if content is not None and to.small is not None and object_store.is_valid_key(upload.key):
        arrived = _put_small(to.small, upload.key, content, digest) or _is_there(to, upload, digest)
        progress(upload.size)
        return arrived
    return (_put if upload.size < IN_PARTS else _put_in_parts)(to, upload, digest, progress)


def _put_small(to: S3Store, key: str, content: bytes, digest: str) -> bool:
    """In one request, whose signature covers the content; whether the answer has its checksum, too."""
    answer = obstore.put(to, key, content, attributes={CHECKSUM: digest}, use_multipart=False)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (answer["e_tag"] or "").strip('"') == md5


def _put(to: Storage, upload: Upload, digest: str, progress: Callable[[int], None]) -> bool:
    """In one request; the server compares what arrived with the checksum, and says it again."""
    checksum = b64encode(bytes.fromhex(digest)).decode()
    with upload.path.open("rb") as file:
        answer = to.s3.put_object(
            Bucket=to.bucket,
            Key=upload.key,
            Body=file,
            ContentLength=upload.size,
            ChecksumSHA256=checksum,
            Metadata={CHECKSUM: digest},
        )
    progress(upload.size)
    return answer.get("ChecksumSHA256") == checksum or _is_there(to, upload, digest)


def _put_in_parts(to: Storage, upload: Upload, digest: str, progress: Callable[[int], None]) -> bool:
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - for large files alone

    to.s3.upload_file(
        str(upload.path),
        to.bucket,
        upload.key,
        ExtraArgs={"Metadata": {CHECKSUM: digest}, "ChecksumAlgorithm": "SHA256"},
        Callback=progress,
        Config=TransferConfig(
            multipart_threshold=IN_PARTS, multipart_chunksize=16 * 2**20, max_concurrency=2
        ),
    )
    return _is_there(to, upload, digest)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_there(to: Storage, upload: Upload, digest: str) -> bool:
    if to.small is not None and object_store.is_valid_key(upload.key):
        return _lies_there(to.small, upload, digest)
    try:
        head = to.s3.head_object(Bucket=to.bucket, Key=upload.key)
    except to.s3.exceptions.ClientError:
        return False
    return head["ContentLength"] == upload.size and head["Metadata"].get(CHECKSUM) == digest


def _lies_there(small: S3Store, upload: Upload, digest: str) -> bool:
    try:
        head = obstore.get(small, upload.key, options={"head": True})
    except FileNotFoundError:
        return False
    return head.meta["size"] == upload.size and head.attributes.get(CHECKSUM) == digest
