"""This machine's Docker engine, asked directly: what is measured, and what an interrupted update left."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import docker
from docker.errors import APIError, DockerException
from docker.models.containers import Container

from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace_ops.core.errors import OpsError

if TYPE_CHECKING:
    pass

NEXT_STEP = "start Docker, or install it (https://docs.docker.com/engine/install/), then run this again"
PATIENCE_SECONDS = 900
SERVING = ("server", "worker", "worker-chunks", "opa", "ui", "proxy")
"""The parts that people reach, and what works for them."""


def connect() -> docker.DockerClient:
    """The engine; raises ``OpsError`` that tells no engine from an engine without rights."""
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
    """The workspace's containers by part, running or not."""
    found = client.containers.list(
        all=True, filters={"label": f"{WORKSPACE_LABEL}={name}"}, ignore_removed=True
    )
    return {one.labels[PART_LABEL]: one for one in found}


def stop_application(mine: Mapping[str, Container]) -> None:
    """End those who serve people, while what they store in is there: a worker whose Redis is gone tries to
    reach it until it is killed."""
    run_parallel([mine[part] for part in SERVING if part in mine], stop)


def stop(one: Container) -> None:
    """In order, or after half a minute not."""
    one.stop(timeout=30)


def run_parallel(ones: list[Container], do: Callable[[Container], object]) -> None:
    """Each ends in its own time: one after the other they would add up."""
    with ThreadPoolExecutor(max(len(ones), 1)) as pool:
        list(pool.map(do, ones))


def remove(one: Container) -> None:
    """Remove a container with the nameless volumes that its image made; named ones stay."""
    one.remove(force=True, v=True)


def exec_in(one: Container, command: list[str], user: str = "") -> tuple[int, str]:
    """Run ``command`` in a running container: its exit code and what it said.

    The engine knows no exit code where the container ended first; that is a failure: -1.
    """
    result = one.exec_run(command, user=user)
    output = result.output if isinstance(result.output, bytes) else b""
    return -1 if result.exit_code is None else int(result.exit_code), output.decode(errors="replace")


def read_file(one: Container, path: str) -> bytes:
    """A file of a container, running or not; raises ``NotFound`` where there is none."""
    chunks, _ = one.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        file = tar.extractfile(tar.getmembers()[0])
        return file.read() if file else b""


def is_healthy(one: Container) -> bool:
    """The container's own health check, run now: the engine's last result may be old."""
    test = one.attrs["Config"].get("Healthcheck", {}).get("Test", [])
    command = ["sh", "-c", *test[1:]] if test[:1] == ["CMD-SHELL"] else test[1:]
    try:
        return not command or exec_in(one, command)[0] == 0
    except APIError:  # it ended meanwhile
        return False


def until_healthy(one: Container) -> None:
    """Wait until the database serves and archives; raises ``OpsError`` when it does not start."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        one.reload()
        if one.status == "running" and is_healthy(one):
            return
        if one.attrs["RestartCount"] > 5 or one.status == "exited":
            break
        time.sleep(0.5)
    raise OpsError(f"{one.name} does not start: see why with `docker logs {one.name}`")


def remove_data(client: docker.DockerClient, name: str, folder: Path) -> None:
    """Remove the volumes and the backups of a deleted workspace for good."""
    for volume in client.volumes.list(filters={"label": f"{WORKSPACE_LABEL}={name}"}):
        volume.remove(force=True)
    if folder.exists():
        _remove_as_root(client, folder)


def _remove_as_root(client: docker.DockerClient, folder: Path) -> None:
    """Backups belong to the database's user: a container has the right that this user may lack."""
    from labelspace.cvat.images import IMAGES  # noqa: PLC0415

    client.containers.run(
        IMAGES["versitygw"],
        entrypoint=["rm", "-rf", f"/parent/{folder.name}"],
        command=[],
        remove=True,
        network_mode="none",
        volumes={str(folder.parent): {"bind": "/parent", "mode": "rw"}},
    )
