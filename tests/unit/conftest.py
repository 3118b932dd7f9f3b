"""Unit tests use no network, no Docker engine and no Pulumi engine: an audit hook refuses them."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = {"docker", "dockerd", "pulumi", "uv", "chromium", "chromedriver"}
"""Programs that only tests in ``tests/e2e`` may start."""
_guard = {"on": False}


class ExternalAccessError(BaseException):
    """A unit test reached out of its process. No ``except Exception`` in the tested code can hide it."""


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _refuse(what: str) -> None:
    raise ExternalAccessError(f"a unit test {what}: move the test to tests/e2e or replace the access")


def _check_connect(address: object) -> None:
    if isinstance(address, tuple):
        if not _is_loopback(address[0]):
            _refuse(f"connects to {address[0]}")
    elif "docker" in str(address):
        _refuse(f"connects to the Docker engine at {address!s}")


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _guard["on"]:
        return
    if event in ("socket.connect", "socket.sendto"):
        _check_connect(arguments[1])
    elif event == "socket.getaddrinfo" and not _is_loopback(arguments[0]):
        _refuse(f"looks up the host {arguments[0]!r}")
    elif event == "subprocess.Popen" and Path(str(arguments[0])).name in PROGRAMS:
        _refuse(f"starts {arguments[0]!s}")


sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _no_external_access() -> Iterator[None]:
    _guard["on"] = True
    yield
    _guard["on"] = False
