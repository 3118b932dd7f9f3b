"""The files of a bucket that CVAT can open: all, or a random sample."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.storage.listing import list_objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
VIDEOS = {".mp4", ".avi", ".mov", ".mkv", ".webm"}
HEAD_BYTES = 16
BATCH = 256
UNREADABLE = "not readable by CVAT's user: run `chmod -R a+rX` on the folder of the bucket"
READERS = 16


@dataclass(frozen=True)
class MediaSelection:
    """Keys for the task, sorted, and the number of files that are left out, by reason."""

    keys: list[str]
    left_out: dict[str, int]
    unreadable: tuple[str, ...] = ()
    """Keys that are left out because CVAT's user cannot read them, sorted."""


def parse_location(text: str, buckets: list[str]) -> tuple[str, str]:
    """Return bucket and prefix of ``BUCKET/prefix``; raises ``UsageError`` for an unknown bucket."""
    bucket, _, prefix = text.strip("/").partition("/")
    if bucket not in buckets:
        raise UsageError(
            f"from: {bucket!r} is not a bucket of the workspace: choose one of {', '.join(buckets)}"
        )
    return bucket, prefix


def find_files(
    s3: S3Client,
    bucket: str,
    prefix: str,
    *,
    subset: int | None,
    seed: int,
    checked: Callable[[int], None],
    unreadable: frozenset[str] = frozenset(),
) -> MediaSelection:
    """Return the files under a prefix that CVAT can open; ``checked`` receives the number of files read.

    ``unreadable``: keys of files and folders without permission for CVAT's user. Raises ``UsageError`` when
    no file is left, or fewer than ``subset``.
    """
    objects = _objects(s3, bucket, prefix)
    reasons = {
        key: UNREADABLE if _is_under(key, unreadable) else _known_reason(key, size) for key, size in objects
    }
    if [*reasons] == [prefix] and _suffix(prefix) in VIDEOS and reasons[prefix] != UNREADABLE:
        return MediaSelection([prefix], {})
    left_out = Counter(reason for reason in reasons.values() if reason)
    candidates = sample([key for key, reason in reasons.items() if not reason], seed if subset else None)
    good: list[str] = []
    for start in range(0, len(candidates), BATCH):
        some = candidates[start : start + BATCH]
        damaged = _damaged(s3, bucket, some)
        good += [key for key in some if key not in damaged]
        left_out["damaged: not the image that its name says"] += len(damaged)
        checked(len(some))
        if subset and len(good) >= subset:
            break
    _enough(good, subset, f"{bucket}/{prefix}", left_out)
    return MediaSelection(
        sorted(good[:subset]),
        {reason: count for reason, count in left_out.items() if count},
        tuple(sorted(key for key, reason in reasons.items() if reason == UNREADABLE)),
    )


def _is_under(key: str, paths: frozenset[str]) -> bool:
    """Whether a key is one of the paths, or in one of them; an empty path is the bucket's folder."""
    if not paths:
        return False
    return "" in paths or any(str(path) in paths for path in (key, *PurePosixPath(key).parents))


def sample(keys: list[str], seed: int | None) -> list[str]:
    """Return the keys in a random order that depends on the seed alone; sorted without a seed.

    The order of two keys depends on them and the seed alone, so a larger sample contains the smaller one.
    """
    if seed is None:
        return sorted(keys)
    return sorted(keys, key=lambda key: hashlib.sha256(f"{seed}\0{key}".encode()).digest())


def _objects(s3: S3Client, bucket: str, prefix: str) -> list[tuple[str, int]]:
    """Key and size (bytes) of each object in the folder ``prefix``, or of the one object with that key."""
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    listed = list_objects(s3, bucket, prefix)
    return [(key, size) for key, size in listed if key == prefix or key.startswith(folder)]


def _known_reason(key: str, size: int) -> str:
    """Return why CVAT cannot show a file, by its name and size; empty when it may."""
    if key.endswith("/") or any(part.startswith(".") for part in key.split("/")):
        return "hidden"
    if _suffix(key) in VIDEOS:
        return "a video: it needs a task of its own (--from BUCKET/FILE)"
    if _suffix(key) not in IMAGES:
        return "no image"
    return "" if size else "empty"


def _suffix(key: str) -> str:
    return PurePosixPath(key).suffix.lower()


def _damaged(s3: S3Client, bucket: str, keys: list[str]) -> set[str]:
    """Return the keys whose content is not an image: one of them would fail the whole task."""
    with ThreadPoolExecutor(READERS) as readers:
        heads = readers.map(lambda key: _head(s3, bucket, key), keys)
        return {key for key, head in zip(keys, heads, strict=True) if not is_image(head)}


def _head(s3: S3Client, bucket: str, key: str) -> bytes:
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{HEAD_BYTES - 1}")
        return bytes(answer["Body"].read())
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"from: {bucket}/{key} cannot be read: {error}") from None


def is_image(head: bytes) -> bool:
    """Return whether a file that starts with ``head`` is an image that CVAT reads, by its signature."""
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return webp or head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"GIF8", b"II*\0", b"MM\0*"))


def _enough(good: list[str], subset: int | None, where: str, left_out: Counter[str]) -> None:
    why = "; ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    if not good:
        raise UsageError(f"from: {where} holds no image that CVAT opens{f' ({why})' if why else ''}")
    if subset and len(good) < subset:
        raise UsageError(f"subset: {subset} images are asked for, {where} has {len(good)}: ask for fewer")
