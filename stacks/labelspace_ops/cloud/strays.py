"""What carries a workspace's tag and no stack knows: made by a call whose answer was lost, and paid."""

from __future__ import annotations

import time
from typing import Any

from labelspace.scaleway.place import workspace_tag
from labelspace_ops.cloud.account import Account
from labelspace_ops.cloud.left import DATABASE, SERVER, VOLUME, Resources, bare, of_kind
from labelspace_ops.errors import OpsError

ADDRESS = "scaleway:instance/ip:Ip"
PATIENCE_SECONDS = 300


def _lists(region: str) -> dict[str, tuple[str, str]]:
    zone = f"/instance/v1/zones/{region}-1"
    return {
        SERVER: (f"{zone}/servers", "servers"),
        ADDRESS: (f"{zone}/ips", "ips"),
        VOLUME: (f"/block/v1/zones/{region}-1/volumes", "volumes"),
        DATABASE: (f"/rdb/v1/regions/{region}/instances", "instances"),
    }


def found(mine: Account, name: str, region: str, project: str, resources: Resources) -> list[str]:
    """Kind and id of each, for people."""
    tag, said = workspace_tag(name), []
    for kind, (path, key) in _lists(region).items():
        known = {bare(one) for one in of_kind(resources, kind)}
        rows = mine.every(path, key, **{"project" if path.startswith("/instance") else "project_id": project})
        mark = [str(row["id"]) for row in rows if tag in (row.get("tags") or [])]
        said += [f"{key.removesuffix('s')} {one}" for one in mark if one not in known]
    return said


def let_go(mine: Account, resources: Resources) -> list[str]:
    """Terminate servers that hold the stack's own data volume and are not the stack's; their ids.

    Such a server was made by a call whose answer was lost. It keeps nothing: its data is on that volume.
    """
    known = {bare(one) for one in of_kind(resources, SERVER)}
    gone = []
    for volume in of_kind(resources, VOLUME):
        zone, _, identity = str(volume["id"]).partition("/")
        answer = mine.look(f"/block/v1/zones/{zone}/volumes/{identity}") or {"references": []}
        for reference in answer["references"]:
            server = str(reference["product_resource_id"])
            if reference["product_resource_type"] == "instance_server" and server not in known:
                _terminate(mine, f"/instance/v1/zones/{zone}/servers/{server}")
                gone.append(server)
    return gone


def _terminate(mine: Account, path: str) -> None:
    """A stopped server takes no such word: it is started for it, as Scaleway's provider does."""
    row: Any = mine.look(path)
    deadline = time.monotonic() + PATIENCE_SECONDS
    if row and row["server"]["state"] == "stopped":
        mine.tell(f"{path}/action", {"action": "poweron"})
    while (row := mine.look(path)) and row["server"]["state"] != "running":
        if time.monotonic() > deadline:
            raise OpsError(
                f"server {path.rpartition('/')[2]} does not start: remove it in Scaleway's console"
            )
        time.sleep(1)
    if row:
        mine.tell(f"{path}/action", {"action": "terminate"})
    while mine.look(path) and time.monotonic() < deadline:
        time.sleep(1)
