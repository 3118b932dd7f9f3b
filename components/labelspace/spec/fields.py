"""Types of single settings, with their limits and error messages.

Sources: CVAT (``cvat/settings/base.py``, ``cvat/apps/iam``), Amazon S3's bucket naming rules,
Docker's names.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from labelspace.cvat_lines import default_version, least_version, order

Size = Literal["small", "medium", "large"]
Registration = Literal["open", "closed"]
DefaultRole = Literal["worker", "user"]
Target = Literal["local", "scaleway", "kubernetes"]

DEFAULT_CVAT = default_version()

MAX_NAME = 32
"""Characters in a workspace's name: it is part of container, volume and host names (at most 63 each)."""

_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_USERNAME = re.compile(r"[\w.@+-]+", re.ASCII)
HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s\"'<>]+@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+")


def _name(value: str) -> str:
    if len(value) > MAX_NAME or not _NAME.fullmatch(value):
        raise ValueError(
            f"use 1 to {MAX_NAME} lowercase letters, digits and hyphens, a letter first, no hyphen last"
            " (for example 'street-scenes')"
        )
    return value


def _bucket_name(value: str) -> str:
    if not _BUCKET.fullmatch(value) or ".." in value or is_address(value):
        raise ValueError(
            "use 3 to 63 lowercase letters, digits, dots and hyphens, a letter or digit at both ends,"
            " no '..', not an IP address (Amazon S3's rules)"
        )
    return value


def is_address(value: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether only programs of this machine reach what listens on ``address``."""
    return ipaddress.ip_address(address).is_loopback


_PRIVATE_SUFFIXES = (".internal", ".local", ".lan", ".home.arpa")


def is_local_name(host: str) -> bool:
    """Whether a host name or address means the machine itself, which containers cannot reach by it."""
    return host == "localhost" or (is_address(host) and is_loopback(host))


def is_private_host(host: str) -> bool:
    """Whether a host is on a private network, by its address or the form of its name."""
    if is_address(host):
        return ipaddress.ip_address(host).is_private
    return "." not in host or host.endswith(_PRIVATE_SUFFIXES)


def _bind_address(value: str) -> str:
    if not is_address(value):
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


def cidr(value: str) -> str:
    """Check an IP network; raises ``ValueError``."""
    try:
        return str(ipaddress.ip_network(value))
    except ValueError:
        raise ValueError(
            "give a network such as 203.0.113.0/24, or one address such as 203.0.113.7/32"
        ) from None


def separated(value: Any) -> Any:
    """Split a text at its commas, as a command line gives a list."""
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


def _public_url(value: str) -> str:
    try:
        parts, port = urlsplit(value), urlsplit(value).port
    except ValueError:
        parts, port = urlsplit(""), None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(host) or parts.username is not None:
        raise ValueError("give the address that browsers open, such as https://labels.example.org")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("CVAT serves the root of a host alone: leave out everything after the host name")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"


def _host_folder(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or ":" in value or not value.isprintable():
        raise ValueError("give the whole path of a folder, such as /data/images, without '..' and ':'")
    return str(path)


def _host_name(value: str) -> str:
    name = value.lower()
    if not HOST.fullmatch(name) and not is_address(name):
        raise ValueError("give a host name such as labels.example.org, or an IP address")
    return name


def _cvat_version(value: str) -> str:
    version = value.removeprefix("v")
    if not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", version) or order(version) < order(least_version()):
        raise ValueError(f"supported: {least_version()} and later, such as {DEFAULT_CVAT}")
    return version


Name = Annotated[str, AfterValidator(_name)]
BucketName = Annotated[str, AfterValidator(_bucket_name)]
Username = Annotated[str, AfterValidator(_username)]
Email = Annotated[str, AfterValidator(_email)]
Cidr = Annotated[str, AfterValidator(cidr)]
HostFolder = Annotated[str, AfterValidator(_host_folder)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
HostName = Annotated[str, AfterValidator(_host_name)]
BindAddress = Annotated[str, AfterValidator(_bind_address)]
CvatVersion = Annotated[str, AfterValidator(_cvat_version)]
Port = Annotated[int, Field(ge=1024, le=65535)]
