"""A workspace's dataset buckets over S3: who reaches them how, what is in them, and backups in one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from labelspace.home import Home
from labelspace.spec import BackupBucketSpec
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.storage.object_store import AT_A_TIME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def client(outputs: dict[str, Any], bucket: str) -> S3Client:
    """An S3 client for one bucket: with the workspace's own keys of it."""
    found = next(one for one in outputs["buckets"] if one["name"] == bucket)
    return connect(found["endpoint"], found["region"], **outputs["bucket_keys"][bucket])


def workspace_name(outputs: dict[str, Any]) -> str:
    """Whose outputs these are."""
    return str(json.loads(outputs["settings"])["name"])


def connect(
    endpoint: str, region: str, access_key: str = "", secret_key: str = "", *, verify: str | None = None
) -> S3Client:
    """An S3 client; without keys requests are not signed, as for a public bucket."""
    proxies.exempt_own(endpoint)
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


def local_buckets(home: Home) -> list[str]:
    """Buckets of this machine, of any workspace or of none."""
    return sorted(path.name for path in home.buckets.glob("*") if path.is_dir() and path.name[0] != ".")
