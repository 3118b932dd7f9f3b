"""Dataset buckets by obstore, which loads and lists much faster than boto3 (docs/adr/0016).

It does not support everything. ``REFUSED`` lists the errors after which a caller uses boto3 instead: for
Scaleway's access keys, which name a project, and for listings with keys that are no paths.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from labelspace_ops.core import proxies

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

AT_A_TIME = 8
"""Number of files that are uploaded in parallel."""
REFUSED = (BaseError, ValueError)
"""Errors for what obstore does not support, and for a server that refuses or does not answer."""


def open_store(outputs: dict[str, Any], bucket: str, *, patience: float = 0) -> S3Store:
    """Open a bucket of a workspace with the workspace's own keys.

    ``patience``: seconds to wait for an answer, without another attempt; 0: minutes, as for transfers.
    """
    found = next(one for one in outputs["buckets"] if one["name"] == bucket)
    keys = outputs["bucket_keys"][bucket]
    proxies.exempt_own(found["endpoint"])
    bundle = os.environ.get("AWS_CA_BUNDLE")
    timeout = f"{patience or 60:.0f}s"
    options: ClientConfig = {"allow_http": True, "connect_timeout": "5s", "timeout": timeout}
    retries: RetryConfig = {"max_retries": 0} if patience else {}
    if bundle and found["endpoint"].startswith("https:"):
        options["root_certificate"] = Path(bundle).read_bytes()
    return S3Store(
        bucket,
        endpoint=found["endpoint"],
        region=found["region"],
        access_key_id=keys["access_key"],
        secret_access_key=keys["secret_key"],
        skip_signature=not keys["access_key"],
        client_options=options,
        retry_config=retries,
    )


def list_objects(bucket: S3Store, folder: str = "") -> Iterator[tuple[str, int]]:
    """Key and size (bytes) of every object under ``folder``, or in the whole bucket."""
    for page in obstore.list(bucket, folder or None):
        yield from ((one["path"], one["size"]) for one in page)


def is_valid_key(key: str) -> bool:
    """Return whether obstore accepts a key; S3 also allows empty or dotted parts and control characters."""
    return key.isprintable() and not {"", ".", ".."} & set(key.split("/"))
