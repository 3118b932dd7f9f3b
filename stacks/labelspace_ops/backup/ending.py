"""The last backup before a workspace's containers go."""

from __future__ import annotations

import docker

from labelspace_ops import engine
from labelspace_ops.backup import agent, restore
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError


def last_backup(client: docker.DockerClient, name: str, *, prove: bool = True) -> str:
    """Take a last backup, and prove it; its id, empty when there is no database. Raises when it fails."""
    one = engine.containers(client, name).get("database")
    if one is None:
        return ""
    say("  backing up" + (", and proving it" if prove else ""))
    try:
        if one.status != "running":
            one.start()
        restore.until_healthy(one)
        taken = str(agent.ask(one, "backup", kind="incr", gently=False)["id"])
        proof = agent.ask(one, "drill", backup=taken) if prove else {"ok": True}
    except OpsError as error:
        raise OpsError(f"{name}: the last backup failed ({error}): nothing was changed") from None
    if not proof["ok"]:
        raise OpsError(f"{name}: the last backup is not whole ({proof['reason']}): nothing was changed")
    return taken
