"""Orphaned, billed resources: they have the workspace's tag but are absent from its stack.

They were created by a call whose response was lost.
"""

from __future__ import annotations

from collections.abc import Callable

from labelspace.targets.scaleway.context import workspace_tag
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Answer, Server, ServerAnswer, Tagged, Volume
from labelspace_ops.targets.scaleway.retained import (
    ADDRESS,
    DATABASE,
    SERVER,
    VOLUME,
    Resources,
    bare_id,
    place_and_id,
    resources_of_type,
)

PATIENCE_SECONDS = 300
STABLE_STATES = ("running", "stopped", "stopped in place")
"""States of an Instance without an ongoing transition (Scaleway's API)."""


def _lists(region: str, *, managed: bool) -> dict[str, tuple[str, str]]:
    """Type -> path and key of its list; ``scaleway.zone`` can be 1 alone."""
    zone = f"/instance/v1/zones/{region}-1"
    databases = {DATABASE: (f"/rdb/v1/regions/{region}/instances", "instances")} if managed else {}
    return {
        SERVER: (f"{zone}/servers", "servers"),
        ADDRESS: (f"{zone}/ips", "ips"),
        VOLUME: (f"/block/v1/zones/{region}-1/volumes", "volumes"),
        **databases,
    }


def find(
    account: Account, name: str, region: str, project: str, resources: Resources, *, managed: bool = True
) -> list[str]:
    """Return kind and id of each orphan as text; ``managed``: include managed databases."""
    tag, orphans = workspace_tag(name), []
    for kind, (path, key) in _lists(region, managed=managed).items():
        known = {bare_id(one) for one in resources_of_type(resources, kind)}
        query = {"project" if path.startswith("/instance") else "project_id": project}
        tagged = [one.id for one in account.list_all(path, key, Tagged, **query) if tag in one.tags]
        orphans += [f"{key.removesuffix('s')} {one}" for one in tagged if one not in known]
    return orphans


def remove(account: Account, name: str, resources: Resources) -> list[str]:
    """Remove orphaned servers that hold the stack's data volume; return their ids.

    No data is lost: it is on that volume, which ``terminate`` only detaches (Scaleway's SDK). Raises
    ``OpsError`` when a server without the workspace's tag holds the volume.
    """
    known = {bare_id(one) for one in resources_of_type(resources, SERVER)}
    removed = []
    for resource in resources_of_type(resources, VOLUME):
        zone, identity = place_and_id(resource)
        volume = account.get_or_none(f"/block/v1/zones/{zone}/volumes/{identity}", Volume)
        for reference in volume.references if volume else ():
            server = reference.product_resource_id
            if reference.product_resource_type == "instance_server" and server not in known:
                _remove(account, zone, server, tag=workspace_tag(name), keep=identity)
                removed.append(server)
    return removed


def _remove(account: Account, zone: str, server: str, *, tag: str, keep: str) -> None:
    """Remove the server and its root volume; ``keep`` is the data volume."""
    path = f"/instance/v1/zones/{zone}/servers/{server}"
    row = _wait_for_server(account, path)
    if row is None:
        return
    if tag not in row.tags:
        raise OpsError(f"data volume {keep} is attached to server {server} of another owner: detach it")
    if row.state == "stopped":
        account.delete(path)
    else:
        account.post(f"{path}/action", {"action": "terminate"}, Answer)
        _wait_until(lambda: account.get_or_none(path, Answer) is None, f"server {server} is still there")
    root = row.volumes.get("0")
    if root and root.id != keep:
        volume = f"/block/v1/zones/{zone}/volumes/{root.id}"
        _wait_until(lambda: _is_free(account, volume), f"volume {root.id} is still in use")
        account.delete(volume)


def _wait_for_server(account: Account, path: str) -> Server | None:
    """Wait for a stable state; return the server, None when it does not exist."""
    found: list[Server] = []

    def is_stable() -> bool:
        answer = account.get_or_none(path, ServerAnswer)
        found[:] = [answer.server] if answer else []
        return all(one.state in STABLE_STATES for one in found)

    _wait_until(is_stable, f"{path} does not reach a stable state")
    return found[0] if found else None


def _is_free(account: Account, path: str) -> bool:
    volume = account.get_or_none(path, Volume)
    return volume is None or not volume.references


def _wait_until(condition: Callable[[], bool], problem: str) -> None:
    wait_until(
        condition,
        timeout=PATIENCE_SECONDS,
        interval=1,
        on_timeout=f"{problem}: remove it in Scaleway's console",
    )
