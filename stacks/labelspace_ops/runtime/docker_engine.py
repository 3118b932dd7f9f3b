"""Access to a Docker engine, here or through SSH: read, run and stop the containers of a workspace."""

from __future__ import annotations

import io
import os
import secrets
import tarfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from labelspace import docker_endpoint
from labelspace.docker_endpoint import Endpoint
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Log, Result, ServiceState
from labelspace_ops.runtime.engine_info import EngineInfo

NEXT_STEP = "start Docker, or install it (https://docs.docker.com/engine/install/), then run this again"
OTHER_SOCKETS = ("docker.sock", "podman/podman.sock")
"""Sockets of a user's own engines, under ``XDG_RUNTIME_DIR``."""
PATIENCE_SECONDS = 900
SERVING = ("server", "worker", "worker-chunks", "opa", "ui", "proxy")
"""Application containers: they hold no data and are stopped before the containers that do."""


def connect() -> docker.DockerClient:
    """Return a client of the engine that Docker's own command would use; see ``labelspace.docker_endpoint``.

    Raises ``OpsError``, which names the endpoint, when no engine answers there or this user may not use it.
    """
    endpoint = find_endpoint()
    proxies.exempt_own(endpoint.url)
    try:
        client = docker.DockerClient.from_env(environment=endpoint.environment(), timeout=120)
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


def data_folder(client: docker.DockerClient) -> Path:
    """Return the folder of the engine's machine that holds images and volumes."""
    return Path(client.info()["DockerRootDir"])


def engine_info(client: docker.DockerClient) -> EngineInfo:
    """Ask the engine what it is."""
    return EngineInfo.from_answers(client.version(), client.info(), find_endpoint())


def containers(client: docker.DockerClient, name: str) -> dict[str, Container]:
    """Return the workspace's containers by part (``server``, ``database``), running or not."""
    listed = client.containers.list(
        all=True, filters={"label": f"{WORKSPACE_LABEL}={name}"}, ignore_removed=True
    )
    return {container.labels[PART_LABEL]: container for container in listed}


def stop_application(by_part: Mapping[str, Container]) -> None:
    """Stop the application containers before their data stores.

    A worker whose Redis stopped first would retry its connection until it is killed.
    """
    run_parallel([by_part[part] for part in SERVING if part in by_part], stop)


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

    command, volumes = ["rm", "-rf", f"/parent/{folder.name}"], {str(folder.parent): "/parent"}
    result = DockerRuntime(client, name).run(IMAGES["versitygw"], command, volumes=volumes, files={})
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
        return {part: _service_state(container) for part, container in self.containers().items()}

    def exec(self, service: str, command: list[str], *, user: str = "") -> Result:
        """Run a command in a running container."""
        return Result(*exec_in(self._container(service), command, user))

    def run(
        self, image: str, command: list[str], *, volumes: Mapping[str, str], files: Mapping[str, str]
    ) -> Result:
        """Run ``command`` as the entrypoint of a new container without network."""
        container = self.client.containers.create(
            image,
            entrypoint=command,
            command=[],
            network_mode="none",
            volumes={source: {"bind": path, "mode": "rw"} for source, path in volumes.items()},
            labels={WORKSPACE_LABEL: self._workspace, PART_LABEL: f"run-{secrets.token_hex(4)}"},
        )
        try:
            container.put_archive("/", tar_files(files))
            container.start()
            code = int(container.wait(timeout=PATIENCE_SECONDS)["StatusCode"])
            return Result(code, container.logs().decode(errors="replace"))
        finally:
            remove(container)

    def start(self, services: Iterable[str]) -> None:
        """Start containers in parallel."""
        run_parallel(self._selected(services), Container.start)

    def stop(self, services: Iterable[str]) -> None:
        """Stop containers in parallel; the engine kills each after 30 seconds."""
        run_parallel(self._selected(services), stop)

    def remove(self, services: Iterable[str]) -> None:
        """Remove containers and their anonymous volumes."""
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
    return ServiceState(str(container.id), container.status, health)


def tar_files(files: Mapping[str, str]) -> bytes:
    """Pack texts by path into a tar archive that every user of a container can read."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o444
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()
