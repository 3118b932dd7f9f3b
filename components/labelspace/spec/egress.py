"""Private addresses that CVAT itself may connect to.

CVAT sends what users ask it to fetch (webhooks, remote images, cloud storages) through a filter, smokescreen,
which refuses private addresses. The filter takes addresses and networks; host names are looked up when a
container starts. Source: stripe/smokescreen at eb1ac09, ``cmd/smokescreen.go`` and ``classifyAddr``.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import HOST, separated

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
CARRIER = ipaddress.ip_network("100.64.0.0/10")
"""Shared address space (RFC 6598), which newer versions of the filter refuse like private networks."""


def split_port(entry: str) -> tuple[str, str]:
    """Split ADDRESS[:PORT], [IPV6]:PORT or HOST[:PORT] into host and port; the port is empty without one."""
    if entry.count(":") == 1 or entry.startswith("["):
        host, _, port = entry.rpartition(":")
        return host.strip("[]"), port
    return entry, ""


def network(host: str) -> Network | None:
    """Return the network or address that a text is; None for a host name."""
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None


def _allowed(entry: str) -> str:
    host, port = split_port(entry)
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("give a port between 1 and 65535, or no port")
    found = network(host)
    if found is not None:
        _check_network(found, entry, port)
    elif not HOST.fullmatch(host) or re.fullmatch(r"(.*\.)?[0-9]+", host) or host == "localhost":
        raise ValueError(
            "give an address such as 10.0.0.5 or 10.0.0.5:9000, a network such as 10.0.0.0/24, or the name of"
            " another machine such as minio.example.org"
        )
    return entry


def _check_network(found: Network, entry: str, port: str) -> None:
    if found.is_loopback or found.is_unspecified:
        raise ValueError("it is CVAT's own container: give the address that this machine has in a network")
    if found.is_link_local:
        raise ValueError("clouds give out keys at addresses in it: no user of CVAT may reach them")
    if found.is_multicast or not (found.is_private or _is_carrier(found)):
        raise ValueError("give a private address or network: CVAT reaches public ones without this")
    if port and "/" in entry:
        raise ValueError("a network has no port: leave the port out, or give one address")


def _is_carrier(found: Network) -> bool:
    return isinstance(found, ipaddress.IPv4Network) and found.subnet_of(CARRIER)  # type: ignore[arg-type]


class EgressSpec(SpecPart):
    """Which private addresses CVAT may connect to, for webhooks, remote images and cloud storages."""

    allow: Annotated[tuple[Annotated[str, AfterValidator(_allowed)], ...], BeforeValidator(separated)] = ()
    """Private addresses, networks and host names that users of CVAT may name; ``gateway`` is the workspace's
    own S3 gateway. None: public addresses alone."""
