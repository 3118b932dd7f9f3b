"""The last backup before a workspace's containers go."""

from __future__ import annotations

import docker

from labelspace_ops.backup import agent
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime import docker_engine


def take_final_backup(client: docker.DockerClient, name: str, *, prove: bool = True) -> str:
    """Take a last backup, and prove it; its id, empty when there is no database. Raises when it fails."""
    one = agent.backup_container(client, name)
    if one is None:
        return ""
    message("  backing up" + (", and proving it" if prove else ""))
    try:
        if one.status != "running":
            one.start()
        docker_engine.until_healthy(one)
        taken = str(agent.call(one, "backup", kind="incr", throttled=False)["id"])
        proof = agent.call(one, "drill", backup=taken) if prove else {"ok": True}
    except OpsError as error:
        raise OpsError(f"{name}: the last backup failed ({error}): nothing was changed") from None
    if not proof["ok"]:
        raise OpsError(f"{name}: the last backup is not whole ({proof['reason']}): nothing was changed")
    return taken
