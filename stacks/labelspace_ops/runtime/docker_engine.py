"""Access to a Docker engine, here or through SSH: read, run and stop the containers of a workspace."""

from __future__ import annotations

import io
import os
import re
import secrets
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.networks import Network

from labelspace import docker_endpoint
from labelspace.docker_endpoint import Endpoint
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import images
from labelspace_ops.runtime.base import Job, Log, Mount, Result, RuntimeFailedError, ServiceState
from labelspace_ops.runtime.engine_info import EngineInfo, is_podman

NEXT_STEP = "start Docker, or install it (https://docs.docker.com/engine/install/), then run this again"
OTHER_SOCKETS = ("docker.sock", "podman/podman.sock")
"""Sockets of a user's own engines, under ``XDG_RUNTIME_DIR``."""
OLDEST_DOCKER = (20, 10, 10)
SYSTEM_CONTAINERD = "/run/containerd/containerd.sock"
CONTAINERD_ROOT = Path("/var/lib/containerd")
PATIENCE_SECONDS = 900
DAY_SECONDS = 24 * 3600


def connect(patience: int = 120) -> docker.DockerClient:
    """Return a client of the engine that Docker's own command would use; see ``labelspace.docker_endpoint``.

    ``patience``: seconds to wait for each answer.
    Raises ``OpsError``, which names the endpoint, when no engine answers there or this user may not use it.
    """
    endpoint = find_endpoint()
    proxies.exempt_own(endpoint.url)
    try:
        client = docker.DockerClient.from_env(environment=endpoint.environment(), timeout=patience)
        client.ping()
    except DockerException as error:
        raise _unusable(endpoint, error) from None
    return client


def find_endpoint() -> Endpoint:
    """Return the endpoint of this machine's engine; raises ``OpsError`` for an unknown context."""
    try:
        return docker_endpoint.find()
    except ValueError as error:
        raise OpsError(f"Docker engine: {error}") from None


def _unusable(endpoint: Endpoint, error: DockerException) -> OpsError:
    other = _other_engine(endpoint)
    hint = f"set DOCKER_HOST={other}, where another engine listens, or " if other else ""
    if "Permission denied" in str(error):
        return OpsError(
            f"Docker engine: this user may not use {endpoint}: {hint}add the user to the group 'docker' and"
            " log in again"
        )
    return OpsError(f"Docker engine: none answers at {endpoint}: {hint}{NEXT_STEP}")


def _other_engine(endpoint: Endpoint) -> str:
    """Return the URL of a rootless engine of this user at another endpoint; empty when there is none."""
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    urls = [f"unix://{folder / name}" for name in OTHER_SOCKETS if (folder / name).exists()]
    return next((url for url in urls if url != endpoint.url), "")


def data_folders(client: docker.DockerClient) -> tuple[Path, ...]:
    """Return the folders of the engine's machine that hold volumes and images.

    Docker 29 stores the images of a new installation in containerd. A containerd that Docker started itself
    stores them under Docker's own folder.
    """
    info = client.info()
    root = Path(info["DockerRootDir"])
    in_containerd = ["driver-type", "io.containerd.snapshotter.v1"] in (info.get("DriverStatus") or [])
    address = (info.get("Containerd") or {}).get("Address", SYSTEM_CONTAINERD)
    return (root, CONTAINERD_ROOT) if in_containerd and address == SYSTEM_CONTAINERD else (root,)


def check_version(client: docker.DockerClient) -> str:
    """Return the engine's version; raises ``OpsError`` when Docker is older than ``OLDEST_DOCKER``.

    An older Docker refuses a system call of the C library in newer images (clone3 of glibc 2.34), and their
    programs fail to start threads. Source: moby/moby#42680.
    """
    answer = client.version()
    version = str(answer["Version"])
    parts = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if not is_podman(answer) and parts < OLDEST_DOCKER:
        oldest = ".".join(map(str, OLDEST_DOCKER))
        raise OpsError(
            f"Docker engine: version {version} is too old: the programs in the images of PostgreSQL and CVAT"
            f" do not start on it: update Docker to {oldest} or newer, then run this again"
        )
    return version


def engine_info(client: docker.DockerClient) -> EngineInfo:
    """Ask the engine what it is."""
    return EngineInfo.from_answers(client.version(), client.info(), find_endpoint())


def containers(client: docker.DockerClient, name: str) -> dict[str, Container]:
    """Return the workspace's containers by part (``server``, ``database``), running or not."""
    listed = client.containers.list(
        all=True, filters={"label": f"{WORKSPACE_LABEL}={name}"}, ignore_removed=True
    )
    return {container.labels[PART_LABEL]: container for container in listed}


def stop(container: Container) -> None:
    """Stop a container; the engine kills it when it still runs after 30 seconds."""
    container.stop(timeout=30)


def run_parallel(selected: list[Container], do: Callable[[Container], object]) -> None:
    """Call ``do`` on all containers in parallel, so that their stop times do not add up."""
    with ThreadPoolExecutor(max(len(selected), 1)) as pool:
        list(pool.map(do, selected))


def remove(container: Container) -> None:
    """Remove a container and its anonymous volumes; named volumes stay."""
    container.remove(force=True, v=True)


def exec_in(container: Container, command: list[str], user: str = "") -> tuple[int, str]:
    """Run ``command`` in a running container; return its exit code and its output.

    The exit code is -1 when the container ended before the command did.
    """
    result = container.exec_run(command, user=user)
    output = result.output if isinstance(result.output, bytes) else b""
    return -1 if result.exit_code is None else int(result.exit_code), output.decode(errors="replace")


def read_file(container: Container, path: str) -> bytes:
    """Read a file of a container, running or not; raises ``NotFound`` when there is no such file."""
    chunks, _ = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        file = tar.extractfile(tar.getmembers()[0])
        return file.read() if file else b""


def is_healthy(container: Container) -> bool:
    """Run the container's health check now, because the engine's last result may be old."""
    test = container.attrs["Config"].get("Healthcheck", {}).get("Test", [])
    command = ["sh", "-c", *test[1:]] if test[:1] == ["CMD-SHELL"] else test[1:]
    try:
        return not command or exec_in(container, command)[0] == 0
    except APIError:  # the container ended meanwhile
        return False


def until_healthy(container: Container) -> None:
    """Wait up to ``PATIENCE_SECONDS`` for a healthy container; raises ``OpsError`` when it does not start."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        container.reload()
        if container.status == "running" and is_healthy(container):
            return
        if container.attrs["RestartCount"] > 5 or container.status == "exited":
            break
        time.sleep(0.5)
    raise OpsError(f"{container.name} does not start: see why with `docker logs {container.name}`")


def remove_data(client: docker.DockerClient, name: str, folder: Path) -> None:
    """Remove the volumes of a deleted workspace, and the backups in ``folder``, for good."""
    for volume in client.volumes.list(filters={"label": f"{WORKSPACE_LABEL}={name}"}):
        volume.remove(force=True)
    if folder.exists():
        _remove_as_root(client, name, folder)


def _remove_as_root(client: docker.DockerClient, name: str, folder: Path) -> None:
    """Remove ``folder`` in a container: backups belong to the database's user, not to this one."""
    from labelspace.cvat.images import IMAGES  # noqa: PLC0415

    result = DockerRuntime(client, name).run(
        Job(
            IMAGES["versitygw"],
            ["rm", "-rf", f"/parent/{folder.name}"],
            mounts=(Mount(str(folder.parent), "/parent"),),
            capabilities=("DAC_OVERRIDE", "FOWNER"),
        )
    )
    if result.exit_code:
        raise OpsError(f"{folder} cannot be removed: {result.output.strip()}: remove it as root")


class DockerRuntime:
    """The ``Runtime`` of one workspace on a Docker engine: this machine's, or a server's through SSH."""

    def __init__(self, client: docker.DockerClient, workspace: str) -> None:
        self.client, self._workspace = client, workspace

    @classmethod
    def here(cls, workspace: str) -> DockerRuntime:
        """Connect to this machine's engine; raises ``OpsError`` as ``connect`` does."""
        return cls(connect(), workspace)

    @property
    def workspace(self) -> str:
        """Name of the workspace."""
        return self._workspace

    def containers(self) -> dict[str, Container]:
        """Return the containers by part, for code that knows the engine is Docker's."""
        return containers(self.client, self._workspace)

    def services(self) -> dict[str, ServiceState]:
        """Return all containers' states, running or not."""
        with _engine_errors():
            return {part: _service_state(container) for part, container in self.containers().items()}

    def exec(self, service: str, command: list[str], *, user: str = "") -> Result:
        """Run a command in a running container."""
        with _engine_errors():
            return Result(*exec_in(self._container(service), command, user))

    def run(self, job: Job) -> Result:
        """Run a job in a container without a restart policy."""
        with _engine_errors():
            container = self._create(job)
            try:
                container.start()
                code = int(container.wait(timeout=DAY_SECONDS)["StatusCode"])
                output, errors = (
                    container.logs(stdout=out).decode(errors="replace") for out in (True, False)
                )
                return Result(code, output, errors)
            finally:
                remove(container)

    def launch(self, job: Job) -> None:
        """Start a container without a restart policy."""
        with _engine_errors():
            self._create(job).start()

    def _create(self, job: Job) -> Container:
        part = job.part or f"run-{secrets.token_hex(4)}"
        self._remove_if_there(part)
        container = self.client.containers.create(
            job.image,
            entrypoint=job.command,
            command=[],
            name=resource_name(self._workspace, part),
            labels=self._labels(part),
            volumes=[f"{one.source}:{one.path}:{'ro' if one.read_only else 'rw'}" for one in job.mounts],
            network=job.networks[0] if job.networks else "none",
            environment=dict(job.environment),
            user=job.user or None,
            mem_limit=job.memory or None,
            cap_drop=["ALL"],
            cap_add=list(job.capabilities),
            security_opt=["no-new-privileges:true"],
            init=True,
        )
        for network in job.networks[1:]:
            self.client.networks.get(network).connect(container)
        container.put_archive("/", tar_files(job.files))
        return container

    def _remove_if_there(self, part: str) -> None:
        try:
            remove(self._container(part))
        except KeyError:
            return

    def _labels(self, part: str) -> dict[str, str]:
        return {WORKSPACE_LABEL: self._workspace, PART_LABEL: part}

    def wait(self, service: str) -> int:
        """Wait at most ``PATIENCE_SECONDS``."""
        with _engine_errors():
            return int(self._container(service).wait(timeout=PATIENCE_SECONDS)["StatusCode"])

    def wait_until_healthy(self, service: str) -> None:
        """Run the container's health check until it passes."""
        until_healthy(self._container(service))

    def start(self, services: Iterable[str]) -> None:
        """Start containers in parallel."""
        with _engine_errors():
            run_parallel(self._selected(services), Container.start)

    def stop(self, services: Iterable[str]) -> None:
        """Stop containers in parallel; the engine kills each after 30 seconds."""
        with _engine_errors():
            run_parallel(self._selected(services), stop)

    def remove(self, services: Iterable[str]) -> None:
        """Remove containers and their anonymous volumes."""
        with _engine_errors():
            run_parallel(self._selected(services), remove)

    def is_healthy(self, service: str) -> bool:
        """Run the container's health check now."""
        return is_healthy(self._container(service))

    def read_log(self, service: str) -> Log | None:
        """Return the log; None without a container, or when the engine does not answer."""
        try:
            container = self._container(service)
            return Log(str(container.id), container.logs().decode(errors="replace"))
        except (KeyError, DockerException):
            return None

    def read_file(self, service: str, path: str) -> bytes:
        """Read a file of a container; raises ``FileNotFoundError``."""
        try:
            return read_file(self._container(service), path)
        except NotFound:
            raise FileNotFoundError(path) from None
        except DockerException as error:
            raise RuntimeFailedError(f"Docker engine: {error}") from None

    def has_image(self, image: str) -> bool:
        """Ask the engine, not a registry."""
        return images.is_present(self.client, image)

    def pull(self, image: str) -> None:
        """Pull an image with progress; raises ``PullError`` with the reason."""
        images.ensure(self.client, [image])

    def build(self, image: str, context: Path) -> None:
        """Build an image on the engine's machine."""
        with _engine_errors():
            self.client.images.build(path=str(context), tag=image, rm=True)

    @contextmanager
    def network(self, part: str, *, internal: bool = False) -> Iterator[str]:
        """A bridge network; one that a killed command left is removed first."""
        name = resource_name(self._workspace, part)
        for left in self.client.networks.list(names=[name]):
            left.remove()
        made: Network = self.client.networks.create(name, internal=internal, labels=self._labels(part))
        try:
            yield name
        finally:
            made.remove()

    def volumes(self) -> set[str]:
        """Return the part in each volume's name."""
        begins = resource_name(self._workspace, "")
        listed = self.client.volumes.list(filters={"name": begins})
        return {volume.name.removeprefix(begins) for volume in listed if volume.name.startswith(begins)}

    def make_volume(self, part: str) -> str:
        """Make a named volume with the workspace's labels."""
        name = resource_name(self._workspace, part)
        self.client.volumes.create(name, labels=self._labels(part))
        return name

    def remove_volumes(self, parts: Iterable[str]) -> None:
        """Remove named volumes."""
        for part in parts:
            self.client.volumes.get(resource_name(self._workspace, part)).remove(force=True)

    def _container(self, service: str) -> Container:
        try:
            return self.client.containers.get(resource_name(self._workspace, service))
        except NotFound:
            raise KeyError(service) from None

    def _selected(self, services: Iterable[str]) -> list[Container]:
        by_part = self.containers()
        return [by_part[service] for service in services]


def _service_state(container: Container) -> ServiceState:
    health = container.attrs["State"].get("Health", {}).get("Status", "")
    image = str(container.attrs["Config"]["Image"])
    return ServiceState(str(container.id), container.status, image, health)


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Raise ``RuntimeFailedError`` with the engine's own reason."""
    try:
        yield
    except DockerException as error:
        raise RuntimeFailedError(f"Docker engine: {error}") from None


def tar_files(files: Mapping[str, str]) -> bytes:
    """Pack texts by path into a tar archive that every user of a container can read."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o444
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()
