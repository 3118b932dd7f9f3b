"""The Docker engine compared with the state of a stack: leftovers of interrupted updates, idle stacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from pulumi import automation as auto

from labelspace.home import Home
from labelspace.naming import WORKSPACE_LABEL
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import state

ELSEWHERE = ("pulumi:", "random:", "labelspace:")
"""Types whose resources are of no engine."""


LOOKS: dict[str, Callable[[docker.DockerClient, dict[str, Any]], bool]] = {
    "docker:index/network:Network": lambda client, one: bool(client.networks.get(one["id"])),
    "docker:index/volume:Volume": lambda client, one: bool(client.volumes.get(one["id"])),
    "docker:index/remoteImage:RemoteImage": lambda client, one: bool(
        client.images.get(one["inputs"]["name"])
    ),
    "docker:index/container:Container": lambda client, one: (
        client.containers.get(one["id"]).status == "exited"
    ),
}
"""Whether a resource is there, and does not run."""


def remove_leftovers(
    runtime: DockerRuntime, stack: auto.Stack, home: Home, *, new: bool = False
) -> list[dict[str, Any]]:
    """Clear what an interrupted update left, so that the next one can go on; volumes are not touched.

    A ``new`` stack knows of nothing. Returns what the stack knows to exist.
    """
    resources = [] if new else _settled(stack, home)
    known = {resource.get("id") for resource in resources}
    for one in runtime.containers().values():
        if one.id not in known or _unfinished(one):
            docker_engine.remove(one)
    for network in runtime.client.networks.list(filters={"label": f"{WORKSPACE_LABEL}={stack.name}"}):
        if network.id not in known:
            network.remove()
    return resources


def is_idle(runtime: DockerRuntime, resources: list[dict[str, Any]]) -> bool:
    """Whether all that a stack knows is there and nothing of it runs: so nobody can have changed anything.

    Pulumi's own look at the engine takes seconds.
    """
    ours = [one for one in resources if one.get("id") and not one["type"].startswith(ELSEWHERE)]
    return bool(ours) and all(one["type"] in LOOKS and _rests(runtime.client, one) for one in ours)


def _rests(client: docker.DockerClient, resource: dict[str, Any]) -> bool:
    try:
        return LOOKS[resource["type"]](client, resource)
    except DockerException:
        return False


def _settled(stack: auto.Stack, home: Home) -> list[dict[str, Any]]:
    """What the stack knows, once operations that were under way when something died are forgotten."""
    if state.deployment(stack.name, home).get("pending_operations"):
        known = stack.export_stack()
        known.deployment = {**(known.deployment or {}), "pending_operations": []}
        stack.import_stack(known)
    return state.resources(stack.name, home)


def _unfinished(one: Container) -> bool:
    """Made but never started, or a one-shot that failed: the next update makes it anew."""
    state = one.attrs["State"]
    one_shot = one.attrs["HostConfig"]["RestartPolicy"]["Name"] in ("no", "")
    return bool(one.status == "created" or (one_shot and one.status == "exited" and state["ExitCode"] != 0))
