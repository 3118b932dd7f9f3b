"""The settings of the backup program: two secret files in the container that runs it, on every target."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pulumi

from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.outputs import BackupPolicy
from labelspace.spec import BackupBucketSpec, BackupSpec

CONTEXT = Path(__file__).parent / "image"
REPOSITORY = "/var/lib/pgbackrest"
"""The workspace's folder of backups, in the container."""
DATA = "/var/lib/postgresql/data"
PGBACKREST_FILE = "/etc/pgbackrest/pgbackrest.conf"
SETTINGS_FILE = "/run/labelspace/backup.json"
CA_FILE = "/run/labelspace/backup-ca.pem"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
"""The certificate authorities that its programs trust (SSL_CERT_FILE); a machine may mount its own file."""
FILE_VOLUMES = {"data": "/cvat/data", "keys": "/cvat/keys"}
"""CVAT's volumes that are backed up, and where the database's container sees them."""


def context_files() -> list[Path]:
    """The files that the database's image is built from."""
    return sorted(path for path in CONTEXT.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def context_tar() -> bytes:
    """The same files as an archive that is identical on every machine."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in context_files():
            entry = tarfile.TarInfo(str(path.relative_to(CONTEXT)))
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(entry, file)
    return out.getvalue()


def image_name() -> str:
    """The database's image: its name holds its recipe's hash, so that two workspaces share one image."""
    recipe = b"".join(path.name.encode() + path.read_bytes() for path in context_files())
    return f"labelspace-database:15-{hashlib.sha256(recipe).hexdigest()[:12]}"


def secret_files(workspace: str, backup: BackupSpec, key: str) -> dict[str, str]:
    """The files by their path in the container; both hold secrets."""
    written = {
        PGBACKREST_FILE: _pgbackrest(workspace, backup, key),
        SETTINGS_FILE: json.dumps(settings(workspace, backup, key)),
    }
    if backup.bucket and backup.bucket.ca_certificate:
        written[CA_FILE] = backup.bucket.ca_certificate
    return written


def location(backup: BackupSpec, folder: Path, workspace: str) -> str:
    """The place of the backups, for people."""
    return f"s3://{backup.bucket.name}/labelspace/{workspace}" if backup.bucket else str(folder)


def policy(where: pulumi.Input[str], backup: BackupSpec) -> BackupPolicy:
    """The policy of a database whose changes are archived."""
    late, hours = backup.archive_timeout_seconds, backup.interval_hours
    return BackupPolicy(where, f"changes within {late} s, a backup every {hours} h", backup.retention_days)


def settings(workspace: str, backup: BackupSpec, key: str) -> dict[str, object]:
    """As ``labelspace_backup.settings`` reads them."""
    values: dict[str, object] = {
        "user": DATABASE_USER,
        "database": DATABASE_NAME,
        "interval_hours": backup.interval_hours,
        "full_interval_days": backup.full_interval_days,
        "drill_interval_days": backup.drill_interval_days,
        "archive_timeout_seconds": backup.archive_timeout_seconds,
        "max_shrink_percent": backup.max_shrink_percent,
        "max_unarchived_mb": backup.max_unarchived_mb,
        "key": key,
        "restic": f"{REPOSITORY}/files",
    }
    if backup.bucket:
        values |= _in_bucket(backup.bucket, workspace)
    return values


def _in_bucket(bucket: BackupBucketSpec, workspace: str) -> dict[str, object]:
    host, port = _endpoint(bucket)
    return {
        "restic": f"s3:{bucket.endpoint}/{bucket.name}/labelspace/{workspace}/files",
        "restic_environment": _restic_environment(bucket),
        "endpoint": f"{host}:{port}",
        "authority": CA_FILE if bucket.ca_certificate else "",
    }


def _endpoint(bucket: BackupBucketSpec) -> tuple[str, str]:
    host, _, port = bucket.endpoint.removeprefix("https://").partition(":")
    return host, port or "443"


def _restic_environment(bucket: BackupBucketSpec) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": bucket.access_key.get_secret_value(),
        "AWS_SECRET_ACCESS_KEY": bucket.secret_key.get_secret_value(),
        "AWS_DEFAULT_REGION": bucket.region,
    }


def _pgbackrest(workspace: str, backup: BackupSpec, key: str) -> str:
    """Source: pgBackRest's configuration reference."""
    return f"""\
[global]
{_repository(workspace, backup.bucket)}\
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={key}
repo1-retention-full-type=time
repo1-retention-full={backup.retention_days}
repo1-bundle=y
start-fast=y
compress-type=zst
compress-level=1
log-level-console=warn
log-level-stderr=off
log-level-file=off
lock-path=/tmp/pgbackrest

[global:backup]
exclude=labelspace-gap/
exclude=labelspace-place

[main]
pg1-path={DATA}
pg1-user={DATABASE_USER}
pg1-database={DATABASE_NAME}
"""


def _repository(workspace: str, bucket: BackupBucketSpec | None) -> str:
    if bucket is None:
        return f"repo1-path={REPOSITORY}/database\n"
    authority = f"repo1-storage-ca-file={CA_FILE}\n" if bucket.ca_certificate else ""
    host, port = _endpoint(bucket)
    return f"""\
repo1-type=s3
repo1-path=/labelspace/{workspace}/database
repo1-s3-bucket={bucket.name}
repo1-s3-endpoint={host}
repo1-storage-port={port}
repo1-s3-region={bucket.region}
repo1-s3-uri-style=path
repo1-s3-key={bucket.access_key.get_secret_value()}
repo1-s3-key-secret={bucket.secret_key.get_secret_value()}
{authority}"""
