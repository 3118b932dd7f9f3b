"""The configuration of rclone, which mounts remote dataset buckets for CVAT's share."""

from __future__ import annotations

from labelspace.spec import BucketSpec

LIMITS = {"RCLONE_CONTIMEOUT": "5s", "RCLONE_TIMEOUT": "10s", "RCLONE_LOW_LEVEL_RETRIES": "3"}
"""An endpoint that hangs would hang CVAT's share with rclone's own: a minute, five minutes, ten attempts."""


def rclone_conf(spec: BucketSpec) -> str:
    """The remote ``bucket``; without keys, requests are anonymous (rclone's S3 backend)."""
    lines = [
        "[bucket]",
        "type = s3",
        "provider = Other",
        f"endpoint = {spec.endpoint}",
        f"region = {spec.region}",
    ]
    if spec.access_key and spec.secret_key:
        lines.append(f"access_key_id = {spec.access_key.get_secret_value()}")
        lines.append(f"secret_access_key = {spec.secret_key.get_secret_value()}")
    return "\n".join(lines) + "\n"
