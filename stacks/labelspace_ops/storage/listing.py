"""The listing of a bucket, by the faster of the two S3 libraries that can do it (docs/adr/0016)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.storage import object_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store

T = TypeVar("T")
NEXT_STEP = "check its endpoint, keys and network, then run the same command again"


class Storage:
    """A bucket with both libraries: boto3 supports every key and server, obstore (``small``) is faster."""

    def __init__(self, bucket: str, client: Callable[[], S3Client], small: S3Store | None = None) -> None:
        self.bucket, self._client, self.small = bucket, client, small

    @cached_property
    def s3(self) -> S3Client:
        """The boto3 client, created on first use: boto3 is slow to load."""
        return self._client()

    def list_objects(self, prefix: str, pick: Callable[[str, int], T]) -> list[T]:
        """Return ``pick(key, bytes)`` of each object whose key starts with ``prefix``.

        obstore can only list whole folders: keys without the prefix are left out. Raises ``OpsError``.
        """
        folder = prefix.rpartition("/")[0]
        try:
            if self.small is not None and (not folder or object_store.is_valid_key(folder)):
                listed = object_store.list_objects(self.small, folder)
                return [pick(key, size) for key, size in listed if key.startswith(prefix)]
        except object_store.REFUSED:
            pass  # boto3 lists the bucket, or raises the reason
        return [pick(key, size) for key, size in list_objects(self.s3, self.bucket, prefix)]


def list_objects(s3: S3Client, bucket: str, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Key and size (bytes) of each object whose key starts with ``prefix``; raises ``OpsError``."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow to load

    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from ((item["Key"], item["Size"]) for item in page.get("Contents", []))
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"bucket {bucket} cannot be listed: {reason(error)}: {NEXT_STEP}") from None
