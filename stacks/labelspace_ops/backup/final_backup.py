"""The last backup before a workspace's containers are removed."""

from __future__ import annotations

from labelspace_ops.backup import agent
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.base import Runtime


def take_final_backup(runtime: Runtime, *, prove: bool = True) -> str:
    """Take a last backup and ``prove`` it; return its id, empty without a database.

    Raises ``OpsError`` when the backup or its proof fails.
    """
    service = agent.backup_service(runtime)
    if not service:
        return ""
    name = runtime.workspace
    message("  backing up" + (", and proving it" if prove else ""))
    try:
        runtime.start([service])
        runtime.wait_until_healthy(service)
        taken = agent.take_backup(runtime).id
        proof = agent.call(runtime, "drill", backup=taken) if prove else {"ok": True}
    except OpsError as error:
        raise OpsError(f"{name}: the last backup failed ({error}): nothing was changed") from None
    if not proof["ok"]:
        raise OpsError(f"{name}: the last backup is not whole ({proof['reason']}): nothing was changed")
    return taken
