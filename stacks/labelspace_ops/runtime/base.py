"""What runs the services of a workspace: the Docker engine here, the one of a server, a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from labelspace_ops.core.errors import OpsError

APPLICATION = ("server", "worker", "worker-chunks", "opa", "ui", "proxy")
"""The services that hold no data; they are stopped before those that do."""
READ_ATTEMPTS = 3


class RuntimeFailedError(OpsError):
    """The runtime does not answer, or refused what it was asked for."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    exit_code: int
    """-1 when the service ended before the command did."""
    output: str
    """Standard output and standard error together."""
    errors: str = ""
    """Standard error alone, of a job."""


@dataclass(frozen=True)
class ServiceState:
    """One service of a workspace, running or not."""

    instance: str
    """Changes when the service is replaced, as by an update."""
    state: str
    """As the runtime names it: ``running``, ``exited``, ``created``."""
    image: str = ""
    """Name of the image that it runs."""
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


@dataclass(frozen=True)
class Mount:
    """A volume of any workspace by its full name, or an absolute path of the runtime's machine."""

    source: str
    path: str
    """Path in the container."""
    read_only: bool = False


@dataclass(frozen=True)
class Job:
    """A command in a container of its own, without any right that is not named."""

    image: str
    command: list[str]
    """The entrypoint and its arguments."""
    part: str = ""
    """Its name among the services; empty: a random one. A container that has the name is removed first."""
    mounts: tuple[Mount, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts by their path in the container, readable by every user there."""
    networks: tuple[str, ...] = ()
    """None: it reaches nothing."""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """``uid:gid``; empty: the image's own user."""
    capabilities: tuple[str, ...] = ()
    memory: str = ""
    """Limit, such as ``1g``; empty: none."""


class Runtime(Protocol):
    """The services of one workspace, by their part: ``server``, ``database``, ``worker``.

    Every method raises ``RuntimeFailedError`` when the runtime cannot be reached, and ``KeyError`` for a
    service that does not exist.
    """

    @property
    def workspace(self) -> str:
        """Name of the workspace."""

    def services(self) -> dict[str, ServiceState]:
        """Return all services, running or not."""

    def exec(self, service: str, command: list[str], *, user: str = "") -> Result:
        """Run a command in a running service."""

    def run(self, job: Job) -> Result:
        """Run a job to its end, remove its container, and return the result."""

    def launch(self, job: Job) -> None:
        """Start a job that becomes a service, until it is removed."""

    def wait(self, service: str) -> int:
        """Wait until a service ends; return its exit code."""

    def wait_until_healthy(self, service: str) -> None:
        """Wait until a service works; raises ``OpsError`` when it does not start."""

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

    def has_image(self, image: str) -> bool:
        """Return whether an image is there."""

    def pull(self, image: str) -> None:
        """Fetch an image from its registry."""

    def build(self, image: str, context: Path) -> None:
        """Build an image from a folder with a Dockerfile."""

    def network(self, part: str, *, internal: bool = False) -> AbstractContextManager[str]:
        """Make a network of the workspace and remove it at the end; ``internal``: it leads nowhere else."""

    def volumes(self) -> set[str]:
        """Return the parts that have a volume."""

    def make_volume(self, part: str) -> str:
        """Make a volume of the workspace unless it is there; return its full name."""

    def remove_volumes(self, parts: Iterable[str]) -> None:
        """Remove volumes with all that is in them."""


def read_output(runtime: Runtime, service: str, command: list[str]) -> Result:
    """Run a command that only reads and prints something; run it again when the engine lost its output.

    Docker can lose what a program prints (moby/moby#27289). The exit code is 1 when every attempt lost it.
    """
    results = (runtime.exec(service, command) for _ in range(READ_ATTEMPTS))
    return next((one for one in results if one.exit_code or one.output.strip()), Result(1, "no answer"))


def stop(runtime: Runtime, services: Iterable[str]) -> None:
    """Stop those of the services that exist."""
    existing = runtime.services()
    runtime.stop([service for service in services if service in existing])


def stop_application(runtime: Runtime) -> None:
    """Stop CVAT before its data stores: a worker whose Redis stopped first would run until it is killed."""
    stop(runtime, APPLICATION)
