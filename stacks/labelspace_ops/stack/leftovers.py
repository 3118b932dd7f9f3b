"""The Docker engine compared with the state of a stack: leftovers of interrupted updates, idle stacks."""

from __future__ import annotations

from collections.abc import Callable

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from pulumi import automation as auto

from labelspace.home import Home
from labelspace.naming import WORKSPACE_LABEL
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import state
from labelspace_ops.stack.state import Resource

OTHER_PROVIDERS = ("pulumi:", "random:", "labelspace:")
"""Prefixes of types that are not resources of the engine."""
IDLE_CHECKS: dict[str, Callable[[docker.DockerClient, Resource], bool]] = {
    "docker:index/network:Network": lambda client, one: bool(client.networks.get(one.id)),
    "docker:index/volume:Volume": lambda client, one: bool(client.volumes.get(one.id)),
    "docker:index/remoteImage:RemoteImage": lambda client, one: bool(client.images.get(one.inputs["name"])),
    "docker:index/container:Container": lambda client, one: client.containers.get(one.id).status == "exited",
}
"""Type of a resource -> whether it exists and does not run."""


def remove_leftovers(
    runtime: DockerRuntime, stack: auto.Stack, home: Home, *, new: bool = False
) -> list[Resource]:
    """Remove containers and networks that an interrupted update left; keep volumes.

    ``new``: the stack has no resources yet. Returns the resources of the stack.
    """
    resources = [] if new else _without_pending_operations(stack, home)
    known = {resource.id for resource in resources}
    for one in runtime.containers().values():
        if one.id not in known or _is_unfinished(one):
            docker_engine.remove(one)
    for network in runtime.client.networks.list(filters={"label": f"{WORKSPACE_LABEL}={stack.name}"}):
        if network.id not in known:
            network.remove()
    return resources


def is_idle(runtime: DockerRuntime, resources: list[Resource]) -> bool:
    """Return whether every resource of the stack exists and none runs: then no refresh is needed.

    A refresh by Pulumi takes seconds.
    """
    ours = [one for one in resources if one.id and not one.type.startswith(OTHER_PROVIDERS)]
    return bool(ours) and all(one.type in IDLE_CHECKS and _is_idle(runtime.client, one) for one in ours)


def _is_idle(client: docker.DockerClient, resource: Resource) -> bool:
    try:
        return IDLE_CHECKS[resource.type](client, resource)
    except DockerException:
        return False


def _without_pending_operations(stack: auto.Stack, home: Home) -> list[Resource]:
    """Forget operations that an interrupted update left in the state; return the resources."""
    if state.deployment(stack.name, home).get("pending_operations"):
        known = stack.export_stack()
        known.deployment = {**(known.deployment or {}), "pending_operations": []}
        stack.import_stack(known)
    return state.resources(stack.name, home)


def _is_unfinished(one: Container) -> bool:
    """Return whether a container never started, or is a failed one-shot: the next update creates it again."""
    state = one.attrs["State"]
    one_shot = one.attrs["HostConfig"]["RestartPolicy"]["Name"] in ("no", "")
    return bool(one.status == "created" or (one_shot and one.status == "exited" and state["ExitCode"] != 0))
