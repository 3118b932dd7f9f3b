"""S3 clients for dataset buckets and backup buckets, and what these hold."""

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
from labelspace_ops.storage.listing import list_objects
from labelspace_ops.storage.object_store import AT_A_TIME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def client(outputs: dict[str, Any], bucket: str, *, patience: float = 0) -> S3Client:
    """Return an S3 client for one dataset bucket, with the workspace's own keys.

    ``patience``: as in ``connect``.
    """
    found = next(one for one in outputs["buckets"] if one["name"] == bucket)
    return connect(found["endpoint"], found["region"], **outputs["bucket_keys"][bucket], patience=patience)


def workspace_name(outputs: dict[str, Any]) -> str:
    """Return the name of the workspace that has these outputs."""
    return str(json.loads(outputs["settings"])["name"])


def connect(
    endpoint: str,
    region: str,
    access_key: str = "",
    secret_key: str = "",
    *,
    verify: str | None = None,
    patience: float = 0,
) -> S3Client:
    """Return an S3 client; without keys its requests are not signed, as for a public bucket.

    ``patience``: seconds to wait for an answer, without another attempt; 0: minutes, as for transfers.
    """
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
            read_timeout=patience or 60,
            retries={"total_max_attempts": 1} if patience else {"max_attempts": 4},
            max_pool_connections=3 * AT_A_TIME,
            **signing,
        ),
    )


def size(s3: S3Client, bucket: str) -> tuple[int, int]:
    """Return the number of objects in a bucket and their bytes; raises ``OpsError``."""
    objects = total = 0
    for _, count in list_objects(s3, bucket):
        objects, total = objects + 1, total + count
    return objects, total


def remove_backups(bucket: BackupBucketSpec, workspace: str) -> None:
    """Remove a workspace's backups from their bucket; raises ``OpsError``."""
    prefix = f"labelspace/{workspace}/"
    try:
        with _of_backups(bucket) as s3:
            for key, _ in list_objects(s3, bucket.name, prefix):
                s3.delete_object(Bucket=bucket.name, Key=key)
    except (OpsError, BotoCoreError, ClientError) as error:
        raise OpsError(f"backup.bucket: {prefix} in {bucket.name} cannot be removed: {error}") from None


def holds_backups(bucket: BackupBucketSpec, workspace: str) -> bool:
    """Return whether a bucket has backups of a workspace; raises ``UsageError`` if it cannot be listed."""
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
    """Provide the authority's certificate as a file for boto3; None for the machine's own authorities."""
    if certificate is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(certificate)
        file.flush()
        yield file.name


def local_buckets(home: Home) -> list[str]:
    """Return the buckets on this machine, whether a workspace uses them or not."""
    return sorted(path.name for path in home.buckets.glob("*") if path.is_dir() and path.name[0] != ".")
