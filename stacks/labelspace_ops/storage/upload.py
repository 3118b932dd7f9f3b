"""Uploads to a dataset bucket: several files in parallel, each checked on arrival, safe to repeat."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import obstore

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.storage import object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.storage.object_store import AT_A_TIME

if TYPE_CHECKING:
    from obstore.store import S3Store

MEDIA = {
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pcd", ".bin"),
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".zip", ".tar", ".gz", ".rar", ".7z", ".pdf"),
}
"""Suffixes that CVAT opens (cvat/apps/engine/media.mimetypes)."""
CHECKSUM = "sha256"
"""Metadata key of an object's own checksum, hexadecimal."""

SMALL = 2**20
"""Files up to this size (bytes) are read into memory."""
IN_PARTS = 64 * 2**20
"""Files from this size (bytes) are uploaded in parts."""
MANY = 20
"""From this number of files, the bucket is listed once instead of asked about each file."""

LONGEST_KEY, LONGEST_PART = 1024, 255
"""Bytes of a key (S3's limit) and of its parts between slashes, which are names of files in the share."""
GATEWAY_FOLDER = ".sgwtmp"
"""Temporary folder of versitygw in each bucket (docs/adr/0003)."""
REJECTED_BY_BUCKET = {
    "ObjectParentIsFile": "a folder of its key is a file in the bucket: rename one",
    "ExistingObjectIsDirectory": "its key is a folder in the bucket: rename one",
    **dict.fromkeys(
        ("KeyTooLongError", "DirectoryObjectContainsData", "EntityTooLarge", "InvalidArgument", "400"), ""
    ),
}
"""Error codes of S3 and versitygw (s3err/s3err.go) for one object that will never be accepted."""
CLOSED_BUCKET = {
    *(
        "401",
        "403",
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "NoSuchBucket",
        "MethodNotAllowed",
    ),
    *("QuotaExceeded", "NoSpaceLeftOnDevice"),
}
"""Error codes that hold for every object of the bucket."""


class RejectedError(OpsError):
    """A file that cannot be uploaded, however often it is tried; the message is the reason."""


@dataclass(frozen=True)
class Rejection:
    """A file that was not uploaded, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class UploadResult:
    """How many files were uploaded, how many were there already, and which cannot be uploaded."""

    uploaded: int
    skipped: int
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True)
class Upload:
    """A local file (``size`` in bytes) and the key of the object that it becomes."""

    path: Path
    key: str
    size: int
    problem: str = ""
    """The reason why it cannot be uploaded, where the plan knows it."""

    @property
    def opens_in_cvat(self) -> bool:
        """Whether CVAT can read frames from it."""
        return Path(self.key).suffix.lower() in MEDIA


def plan_upload(paths: list[Path], prefix: str) -> list[Upload]:
    """Return every file under ``paths``; raises ``UsageError`` for one that cannot be read."""
    uploads = [upload for path in paths for upload in _under(path, prefix)]
    for upload in uploads:
        if not upload.problem and not os.access(upload.path, os.R_OK):
            raise _unreadable(upload.path)
    return uploads


def _unreadable(path: Path | str) -> UsageError:
    return UsageError(f"path: {path} cannot be read: check its permissions")


def _under(path: Path, prefix: str) -> Iterator[Upload]:
    if not path.exists():
        raise UsageError(f"path: {path} does not exist: check the spelling")
    if not path.is_dir():
        yield _upload(path, prefix + path.name)
        return
    for file in sorted(_files(path)):
        yield _upload(file, prefix + file.relative_to(path).as_posix())


def _upload(path: Path, key: str) -> Upload:
    if not path.is_file():
        return Upload(path, key, 0, "it is no file, or a link to nothing")
    return Upload(path, key, path.stat().st_size)


def _files(path: Path) -> Iterator[Path]:
    """Yield every entry of a folder that is no folder; raises ``UsageError`` for an unreadable folder."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error.filename)

    for folder, _, names in os.walk(path, onerror=refuse):
        yield from (Path(folder) / name for name in names)


def key_problem(key: str) -> str:
    """Return why no dataset bucket can hold a key; empty when it can."""
    try:
        parts = [part.encode() for part in key.split("/")]
    except UnicodeEncodeError:
        return "its name is not UTF-8: rename it"
    size, longest = len(key.encode()), max(map(len, parts))
    if size > LONGEST_KEY:
        return f"the key has {size} bytes, at most {LONGEST_KEY} are allowed: shorten the name or --prefix"
    if longest > LONGEST_PART:
        return f"a part of the key has {longest} bytes, at most {LONGEST_PART} are allowed: shorten it"
    if parts[0] == GATEWAY_FOLDER.encode():
        return f"{GATEWAY_FOLDER}/ is reserved by the gateway of the bucket: choose another --prefix"
    return "a part of the key is '.' or '..': choose another --prefix" if {b".", b".."} & {*parts} else ""


def _conflicts(uploads: list[Upload]) -> Iterator[tuple[Upload, str]]:
    """Yield the files that another file of the same upload leaves no key for, and the reason."""
    first: dict[str, Upload] = {}
    for upload in uploads:
        other = first.setdefault(upload.key, upload)
        if other.path != upload.path:
            yield upload, f"{shown(other.path)} has the same key {upload.key}"
    folders = {folder for key in first for folder in _folders(key)}
    for key, upload in first.items():
        if key in folders:
            yield upload, f"files go to a folder of the same name ({key}/): rename one"


def _folders(key: str) -> Iterator[str]:
    while key := key.rpartition("/")[0]:
        yield key


def shown(path: Path) -> str:
    """Return a path as text that can be printed: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")


def upload_all(to: Storage, uploads: list[Upload], progress: Callable[[int], None]) -> UploadResult:
    """Upload every file that can be uploaded, ``AT_A_TIME`` in parallel.

    ``progress`` receives bytes. Raises ``OpsError`` at the first failure that is not the file's own: a server
    that does not answer, or a bucket that refuses everything.
    """
    problems = {one: one.problem or key_problem(one.key) for one in uploads}
    problems |= dict(_conflicts([one for one, problem in problems.items() if not problem]))
    valid = [one for one, problem in problems.items() if not problem]
    known = _known(to, valid) if len(valid) >= MANY else None
    stop = threading.Event()
    todo = iter(valid)

    def work() -> int:
        """Upload the next file until none is left, so that few files are in memory."""
        sent = 0
        try:
            while not stop.is_set() and (upload := next(todo, None)):
                try:
                    sent += upload_file(to, upload, progress, known)
                except RejectedError as error:
                    problems[upload] = str(error)
        except OpsError:
            stop.set()
            raise
        return sent

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            sent = sum(done.result() for done in as_completed([pool.submit(work) for _ in range(AT_A_TIME)]))
        finally:
            stop.set()  # after Ctrl-C too
    rejected = tuple(Rejection(shown(one.path), reason) for one, reason in problems.items() if reason)
    return UploadResult(sent, len(problems) - sent - len(rejected), rejected)


def _known(to: Storage, uploads: list[Upload]) -> set[str]:
    """Return the keys of the bucket that start like all uploads: one listing, not one request per file."""
    prefix = os.path.commonprefix([upload.key for upload in uploads])  # noqa: RUF071 - keys are strings
    return set(to.list_objects(prefix, lambda key, _: key))


def upload_file(
    to: Storage, upload: Upload, progress: Callable[[int], None], known: Container[str] | None = None
) -> bool:
    """Upload one file and check what arrived; False when the bucket has the same content already.

    ``known``: every key of the bucket, when the caller has listed it. Raises ``RejectedError`` for a file
    that the bucket can never take, ``OpsError`` for every other failure.
    """
    if problem := upload.problem or key_problem(upload.key):
        raise RejectedError(problem)
    path, (content, digest) = shown(upload.path), _read(to, upload)
    try:
        if (known is None or upload.key in known) and _is_there(to, upload, digest):
            progress(upload.size)
            return False
        arrived = _sent(to, upload, content, digest, progress)
    except Exception as error:
        _fail(to.bucket, path, error)
    if not arrived:
        raise OpsError(f"{path}: what arrived differs in size or checksum: run the same command again")
    return True


def _read(to: Storage, upload: Upload) -> tuple[bytes | None, str]:
    """Return a small file's content (None for a large one) and its checksum; raises ``RejectedError``."""
    try:
        content = upload.path.read_bytes() if to.small is not None and upload.size <= SMALL else None
        return content, _digest(upload.path) if content is None else hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise RejectedError(error.strerror or str(error)) from None


def _fail(bucket: str, path: str, error: Exception) -> NoReturn:
    """Raise the error for a failure: of this file for good, of the whole bucket, or passing."""
    code = _error_code(error)
    if code in REJECTED_BY_BUCKET:
        raise RejectedError(REJECTED_BY_BUCKET[code] or f"the bucket refuses it: {reason(error)}") from None
    if code in CLOSED_BUCKET:
        raise OpsError(
            f"bucket {bucket} refuses uploads ({code}): check its name, keys, permissions and free space"
        ) from None
    raise OpsError(
        f"{path}: upload failed ({reason(error)}): run the same command again, it continues"
    ) from None


def _error_code(error: Exception) -> str:
    """Return S3's error code: boto3 has it in ``response``, obstore in its text; empty for other errors.

    The answer to a HEAD request has no code, only its status.
    """
    response = getattr(error, "response", None)
    if response is not None:
        return str(response["Error"]["Code"])
    found = re.search(r"<Code>(\w+)</Code>|status code: (40[13])", str(error))
    return found[1] or found[2] if found else ""


def _sent(
    to: Storage, upload: Upload, content: bytes | None, digest: str, progress: Callable[[int], None]
) -> bool:
    """Upload by the way that suits the file; return whether what arrived is what was sent."""
    if content is not None and to.small is not None and object_store.is_valid_key(upload.key):
        arrived = _put_small(to.small, upload.key, content, digest) or _is_there(to, upload, digest)
        progress(upload.size)
        return arrived
    return (_put if upload.size < IN_PARTS else _put_in_parts)(to, upload, digest, progress)


def _put_small(to: S3Store, key: str, content: bytes, digest: str) -> bool:
    """Upload in one request, whose signature covers the content; True when the answer has its checksum."""
    answer = obstore.put(to, key, content, attributes={CHECKSUM: digest}, use_multipart=False)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (answer["e_tag"] or "").strip('"') == md5


def _put(to: Storage, upload: Upload, digest: str, progress: Callable[[int], None]) -> bool:
    """Upload in one request; the server compares what arrived with the checksum, and returns the checksum."""
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
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - slow to load, only for large files

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
        return _is_in_store(to.small, upload, digest)
    try:
        head = to.s3.head_object(Bucket=to.bucket, Key=upload.key)
    except to.s3.exceptions.ClientError:
        return False
    return head["ContentLength"] == upload.size and head["Metadata"].get(CHECKSUM) == digest


def _is_in_store(small: S3Store, upload: Upload, digest: str) -> bool:
    try:
        head = obstore.get(small, upload.key, options={"head": True})
    except FileNotFoundError:
        return False
    return head.meta["size"] == upload.size and head.attributes.get(CHECKSUM) == digest
