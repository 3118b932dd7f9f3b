"""Keeps proxies (``HTTP_PROXY`` and its kind) out of calls to this machine's own addresses."""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from urllib.parse import urlsplit

_LOCK = threading.Lock()


def exempt_own(url: str) -> None:
    """Add the URL's host to ``no_proxy`` and ``NO_PROXY`` when it is this machine; else change nothing.

    All HTTP clients here, gRPC and the programs that Pulumi starts read these variables, and of some
    (obstore, gRPC) there is no other way to tell it.
    """
    host = urlsplit(url).hostname or ""
    if not _is_own(host):
        return
    exempt = "localhost" if host.endswith("localhost") else host
    with _LOCK:
        given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        hosts = [one.strip() for one in given.split(",") if one.strip()]
        if exempt not in hosts and "*" not in hosts:
            hosts.append(exempt)
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)


def _is_own(host: str) -> bool:
    """Whether the host is loopback, or an address to which this machine may bind."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return address.is_loopback
    return True
