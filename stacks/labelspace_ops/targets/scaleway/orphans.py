"""What carries a workspace's tag and no stack knows: made by a call whose answer was lost, and paid."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from labelspace.targets.scaleway.context import workspace_tag
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.retained import (
    ADDRESS,
    DATABASE,
    SERVER,
    VOLUME,
    Resources,
    bare_id,
    resources_of_type,
)

PATIENCE_SECONDS = 300
SETTLED = ("", "running", "stopped", "stopped in place")


def _lists(region: str, *, managed: bool) -> dict[str, tuple[str, str]]:
    zone = f"/instance/v1/zones/{region}-1"
    databases = {DATABASE: (f"/rdb/v1/regions/{region}/instances", "instances")} if managed else {}
    return {
        SERVER: (f"{zone}/servers", "servers"),
        ADDRESS: (f"{zone}/ips", "ips"),
        VOLUME: (f"/block/v1/zones/{region}-1/volumes", "volumes"),
        **databases,
    }


def find(
    mine: Account, name: str, region: str, project: str, resources: Resources, *, managed: bool = True
) -> list[str]:
    """Kind and id of each, for people; ``managed``: whether databases are looked for, too."""
    tag, said = workspace_tag(name), []
    for kind, (path, key) in _lists(region, managed=managed).items():
        known = {bare_id(one) for one in resources_of_type(resources, kind)}
        rows = mine.list_all(
            path, key, **{"project" if path.startswith("/instance") else "project_id": project}
        )
        mark = [str(row["id"]) for row in rows if tag in (row.get("tags") or [])]
        said += [f"{key.removesuffix('s')} {one}" for one in mark if one not in known]
    return said


def remove(mine: Account, name: str, resources: Resources) -> list[str]:
    """Remove servers that hold the stack's own data volume and are not the stack's; their ids.

    Such a server was made by a call whose answer was lost. It keeps nothing: its data is on that volume,
    which is only detached (Scaleway's SDK on ``terminate``). Raises ``OpsError`` for somebody else's server.
    """
    known = {bare_id(one) for one in resources_of_type(resources, SERVER)}
    gone = []
    for volume in resources_of_type(resources, VOLUME):
        zone, _, identity = str(volume["id"]).partition("/")
        answer = mine.get_or_none(f"/block/v1/zones/{zone}/volumes/{identity}") or {"references": []}
        for reference in answer["references"]:
            server = str(reference["product_resource_id"])
            if reference["product_resource_type"] == "instance_server" and server not in known:
                _remove(mine, zone, server, tag=workspace_tag(name), keep=identity)
                gone.append(server)
    return gone


def _remove(mine: Account, zone: str, server: str, *, tag: str, keep: str) -> None:
    """The server with its root volume; ``keep``: the data volume."""
    path = f"/instance/v1/zones/{zone}/servers/{server}"
    row = _settled(mine, path)
    if row is None:
        return
    if tag not in row["tags"]:
        raise OpsError(
            f"data volume {keep} is attached to server {server}, which is not labelspace's: detach it"
        )
    if row["state"] == "stopped":
        mine.delete(path)
    else:
        mine.post(f"{path}/action", {"action": "terminate"})
        _until(lambda: mine.get_or_none(path) is None, f"server {server} does not go")
    root = row["volumes"]["0"]["id"]
    if root != keep:
        volume = f"/block/v1/zones/{zone}/volumes/{root}"
        _until(lambda: _is_free(mine.get_or_none(volume)), f"volume {root} stays in use")
        mine.delete(volume)


def _settled(mine: Account, path: str) -> Any:
    """The server when nothing of it is under way any more; None when it is gone."""
    _until(
        lambda: _state(mine, path) in ("", "running", "stopped", "stopped in place"),
        f"{path} does not settle",
    )
    found = mine.get_or_none(path)
    return found["server"] if found else None


def _state(mine: Account, path: str) -> str:
    found = mine.get_or_none(path)
    return str(found["server"]["state"]) if found else ""


def _is_free(volume: Any) -> bool:
    return volume is None or not volume["references"]


def _until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise OpsError(f"{otherwise}: remove it in Scaleway's console")
        time.sleep(1)
