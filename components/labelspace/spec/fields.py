"""Types of single settings, with their limits and error messages.

Sources: CVAT 2.73 (``cvat/settings/base.py``, ``cvat/apps/iam``), Amazon S3's bucket naming rules,
Docker's names.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

Size = Literal["small", "medium", "large"]
Registration = Literal["open", "closed"]
DefaultRole = Literal["worker", "user"]

SUPPORTED_CVAT = "2.73"
"""The line of CVAT that is supported; its patch releases keep the containers' contract."""
DEFAULT_CVAT = "2.73.0"

MAX_NAME = 32
"""Characters in a workspace's name: it is part of container, volume and host names (at most 63 each)."""

_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_USERNAME = re.compile(r"[\w.@+-]+", re.ASCII)
_EMAIL = re.compile(r"[^@\s\"'<>]+@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")


def _name(value: str) -> str:
    if len(value) > MAX_NAME or not _NAME.fullmatch(value):
        raise ValueError(
            f"use 1 to {MAX_NAME} lowercase letters, digits and hyphens, a letter first, no hyphen last"
            " (for example 'street-scenes')"
        )
    return value


def _bucket_name(value: str) -> str:
    if not _BUCKET.fullmatch(value) or ".." in value or _is_address(value):
        raise ValueError(
            "use 3 to 63 lowercase letters, digits, dots and hyphens, a letter or digit at both ends,"
            " no '..', not an IP address (Amazon S3's rules)"
        )
    return value


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _bind_address(value: str) -> str:
    if not _is_address(value):
        raise ValueError(
            "give an IP address of this machine: 127.0.0.1 serves this machine alone,"
            " 0.0.0.0 everybody who reaches it"
        )
    return value


def _username(value: str) -> str:
    if not 5 <= len(value) <= 150 or not _USERNAME.fullmatch(value):
        raise ValueError("use 5 to 150 letters, digits and . @ + - _ (CVAT's rule for user names)")
    return value


def _email(value: str) -> str:
    if len(value) > 254 or not _EMAIL.fullmatch(value):
        raise ValueError("give an address such as ann@example.org, at most 254 characters")
    return value


def _cvat_version(value: str) -> str:
    version = value.removeprefix("v")
    if not re.fullmatch(rf"{re.escape(SUPPORTED_CVAT)}\.\d{{1,4}}", version):
        raise ValueError(f"supported: {DEFAULT_CVAT} and later patch releases of {SUPPORTED_CVAT}")
    return version


Name = Annotated[str, AfterValidator(_name)]
BucketName = Annotated[str, AfterValidator(_bucket_name)]
Username = Annotated[str, AfterValidator(_username)]
Email = Annotated[str, AfterValidator(_email)]
BindAddress = Annotated[str, AfterValidator(_bind_address)]
CvatVersion = Annotated[str, AfterValidator(_cvat_version)]
Port = Annotated[int, Field(ge=1024, le=65535)]
