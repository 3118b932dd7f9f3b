"""The sleeper: alone in holding the Docker socket, and without any network that could reach it."""

from __future__ import annotations

from importlib.resources import files as package_files

import pulumi
import pulumi_docker as docker

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.caddy import NOTES
from labelspace.docker_endpoint import ENGINE_SOCKET
from labelspace.targets.local.container import Volume, container
from labelspace.targets.local.context import DockerContext

PROGRAM = "/opt/labelspace/sleeper.py"
SOCKET = ENGINE_SOCKET


def sleeper(
    context: DockerContext,
    minutes: int,
    image: str,
    *,
    depends_on: list[pulumi.Resource],
    parent: pulumi.Resource,
) -> docker.Container:
    """Sends the workspace to sleep after ``minutes`` without a user, and wakes it.

    ``image``: CVAT's server at the workspace's version, which is on the machine anyway and holds Python.
    """
    machine = context.machine
    binds: list[Volume] = [
        machine.bind(machine.socket(), SOCKET, relabel=False),
        machine.bind(machine.path(lambda home: home.locks), "/locks", read_only=True),
    ]
    service = _service(context.workspace, minutes, image)
    return container(service, context, binds=binds, depends_on=depends_on, wait_healthy=True, parent=parent)


def _service(workspace: str, minutes: int, image: str) -> Service:
    """Its user is root, who owns the socket, but it has no capability."""
    program = package_files("labelspace.targets.local").joinpath("container_files", "sleeper.py").read_text()
    return Service(
        name="sleeper",
        image=image,
        memory=64,
        entrypoint=("python3", "-ESs", PROGRAM),
        command=(workspace, str(minutes)),
        volumes={"notes": NOTES},
        files=(File(PROGRAM, program),),
        user="0:0",
        health=Health(("CMD-SHELL", f"test -s {NOTES}/state.json"), interval=2),
        stays_awake=True,
        holds_socket=True,
        offline=True,
    )
