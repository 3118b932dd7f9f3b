"""Backups of the annotation database."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import BucketName, Name, Size
from labelspace.spec.late import Late


def _backup_key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{32,}", value.get_secret_value()):
        raise ValueError("use 32 or more letters, digits and signs without spaces, made at random")
    return value


class BackupBucketSpec(SpecPart):
    """An S3 bucket for the backups, anywhere; pgBackRest speaks S3 over HTTPS alone."""

    name: BucketName
    """The bucket's name."""
    endpoint: Annotated[str, Late("https://stand-in.invalid")]
    """URL of the S3 endpoint, ``https://host`` or ``https://host:port``."""
    region: Annotated[str, Late("stand-in")] = "us-east-1"
    """Region that requests to ``endpoint`` are signed for."""
    access_key: Annotated[SecretStr, Late("stand-in")]
    """S3 access key; it must write and delete."""
    secret_key: Annotated[SecretStr, Late("stand-in")]
    """S3 secret key."""
    ca_certificate: Annotated[str | None, Late("stand-in")] = None
    """PEM of the authority that signed the endpoint's certificate, when machines do not know it."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_https(cls, value: str) -> str:
        if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?/?", value):
            raise ValueError("give a URL such as https://s3.fr-par.scw.cloud (backups go over HTTPS alone)")
        return value.rstrip("/")


class BackupSpec(SpecPart):
    """When the annotation database is copied, where to, and for how long copies are kept."""

    archive_timeout_seconds: int = Field(default=30, ge=5, le=30)
    """Longest time an annotation waits before its WAL segment is archived, in seconds."""
    retention_days: int = Field(default=7, ge=1, le=365)
    """Days whose every moment can be restored."""
    interval_hours: int = Field(default=6, ge=1, le=168)
    """Hours between two backups; the changes in between are archived all the time."""
    full_interval_days: int = Field(default=7, ge=1, le=60)
    """Days between two full backups; those in between hold what changed."""
    drill_interval_days: int = Field(default=7, ge=0, le=60)
    """Days between two drills; 0: none on a schedule."""
    max_shrink_percent: int = Field(default=50, ge=1, le=99)
    """A backup in which CVAT's files shrank by more than this share makes the workspace ``degraded``, and no
    backup expires until somebody accepts it."""
    max_unarchived_mb: int = Field(default=4096, ge=64, le=1_000_000)
    """Change log that may wait while the place of the backups is out of reach, in MB, and at most half of the
    free disk. Beyond it the database goes on and the oldest changes are lost to a restore: ``status`` says
    which, and a full backup follows by itself."""
    bucket: BackupBucketSpec | None = None
    """Where backups go; none: a folder of this machine."""
    encryption_key: Annotated[
        Annotated[SecretStr, AfterValidator(_backup_key)] | None,
        Late("stand-in-of-a-key-that-comes-later"),
    ] = None
    """What encrypts them, 32 characters or more; none: a key of this machine, made when there is none."""


class AnnotationDatabaseSpec(SpecPart):
    """The settings of a separate annotation database on this machine."""

    name: Name
    size: Size = "small"
    backup: BackupSpec = BackupSpec()
