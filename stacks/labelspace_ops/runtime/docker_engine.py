"""Direct access to this machine's Docker engine: read, run and stop the containers of a workspace."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace_ops.core.errors import OpsError

NEXT_STEP = "start Docker, or install it (https://docs.docker.com/engine/install/), then run this again"
PATIENCE_SECONDS = 900
SERVING = ("server", "worker", "worker-chunks", "opa", "ui", "proxy")
"""Application containers: they hold no data and are stopped before the containers that do."""


def connect() -> docker.DockerClient:
    """Return a client of the engine.

    Raises ``OpsError`` when no engine answers, or when this user has no right to use it.
    """
    try:
        client = docker.from_env(timeout=120)
        client.ping()
    except DockerException as error:
        if "Permission denied" in str(error):
            raise OpsError(
                "Docker engine: this user may not use it: add the user to the group 'docker' and log in again"
            ) from None
        raise OpsError(f"Docker engine: none answers: {NEXT_STEP}") from None
    return client


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
        _remove_as_root(client, folder)


def _remove_as_root(client: docker.DockerClient, folder: Path) -> None:
    """Remove ``folder`` in a container: backups belong to the database's user, not to this one."""
    from labelspace.cvat.images import IMAGES  # noqa: PLC0415

    client.containers.run(
        IMAGES["versitygw"],
        entrypoint=["rm", "-rf", f"/parent/{folder.name}"],
        command=[],
        remove=True,
        network_mode="none",
        volumes={str(folder.parent): {"bind": "/parent", "mode": "rw"}},
    )
