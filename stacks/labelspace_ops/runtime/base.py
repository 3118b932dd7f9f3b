"""What runs the services of a workspace: the Docker engine here, the one of a server, a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    exit_code: int
    """-1 when the service ended before the command did."""
    output: str
    """Standard output and standard error together."""


@dataclass(frozen=True)
class ServiceState:
    """One service of a workspace, running or not."""

    instance: str
    """Changes when the service is replaced, as by an update."""
    state: str
    """As the runtime names it: ``running``, ``exited``, ``created``."""
    health: str = ""
    """``starting``, ``healthy`` or ``unhealthy``; empty for a service without a health check."""

    @property
    def running(self) -> bool:
        """Whether it runs, healthy or not."""
        return self.state == "running"


@dataclass(frozen=True)
class Log:
    """What a service has written."""

    instance: str
    """As in ``ServiceState``: another instance has a log of its own."""
    text: str


class Runtime(Protocol):
    """The services of one workspace, by their part: ``server``, ``database``, ``worker``.

    Every method raises ``OpsError`` when the runtime cannot be reached, and ``KeyError`` for a service that
    does not exist.
    """

    @property
    def workspace(self) -> str:
        """Name of the workspace."""

    def services(self) -> dict[str, ServiceState]:
        """Return all services, running or not."""

    def exec(self, service: str, command: list[str], *, user: str = "") -> Result:
        """Run a command in a running service."""

    def run(
        self, image: str, command: list[str], *, volumes: Mapping[str, str], files: Mapping[str, str]
    ) -> Result:
        """Run a command in a new container without network, remove it, and return the result.

        ``volumes``: paths in the container by volume or absolute path. ``files``: texts by path in the
        container.
        """

    def start(self, services: Iterable[str]) -> None:
        """Start services in parallel."""

    def stop(self, services: Iterable[str]) -> None:
        """Stop services in parallel; each is killed after 30 seconds."""

    def remove(self, services: Iterable[str]) -> None:
        """Remove services; volumes stay."""

    def is_healthy(self, service: str) -> bool:
        """Run the service's own health check now."""

    def read_log(self, service: str) -> Log | None:
        """Return what a service has written so far; None while it does not exist."""

    def read_file(self, service: str, path: str) -> bytes:
        """Read a file of a service, running or not; raises ``FileNotFoundError``."""
