"""Another version of CVAT: backed up and rehearsed before anything of the workspace changes.

The `labelspace` command asks here before an update that changes the version. Every other update, and plain
`pulumi up`, asks by the hook on the server's image.
"""

from __future__ import annotations

from labelspace.cvat.images import image_version
from labelspace.cvat_lines import order, stops
from labelspace.home import Home
from labelspace.spec import WorkspaceSpec
from labelspace_ops.backup import agent, final_backup, upgrade_test
from labelspace_ops.backup.models import Rehearsal
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import state

WRITERS = ("worker", "worker-chunks", "server")


def running_version(runtime: Runtime) -> str:
    """Return the version of the workspace's server, running or not; empty without one."""
    server = runtime.services().get("server")
    return image_version(server.image) if server else ""


def before(runtime: Runtime, source: agent.Repository, version: str, old: str) -> str:
    """Back up and rehearse an upgrade; return the id of the backup from before it, empty for no upgrade.

    The services that write are stopped at the end, so that nothing is written after that backup. Raises
    ``OpsError`` with the workspace as it was.
    """
    name = source.workspace
    if not old or old == version:
        return ""
    refuse_older(version, old)
    refuse_skipped_stop(name, version, old)
    message(f"{name}: CVAT {old} -> {version}: a backup first")
    try:
        rehearsed = rehearse(runtime, source, version, old)
        backup = _quiet_backup(runtime) or rehearsed.backup
        message(f"{name}: {restore_later(name, old, backup)}")
        return backup
    except UsageError:
        raise
    except OpsError as error:
        raise OpsError(
            f"cvat_version: {version}: the rehearsal failed: {error}. Nothing was changed:"
            f" {name} stays at {old}"
        ) from None


def rehearse(runtime: Runtime, source: agent.Repository, version: str, old: str) -> Rehearsal:
    """Back up and rehearse; the services go on. Raises ``OpsError``."""
    upgrade_test.require_image(runtime, version)
    backup = final_backup.take_final_backup(runtime, prove=False) or _newest(runtime, source)
    return upgrade_test.rehearse(runtime, source, backup, version, old)


def refuse_older(version: str, old: str) -> None:
    """Raise ``UsageError`` for a version that is older than the workspace's."""
    if order(version) < order(old):
        raise UsageError(
            f"cvat_version: {version!r} is older than {old}: CVAT's migrations have no way back; going back"
            f" is a restore: make a workspace of {version} from a backup of that time"
        )


def refuse_skipped_stop(name: str, version: str, old: str) -> None:
    """Raise ``UsageError`` where CVAT must be upgraded to another version first."""
    first, *later = stops(old, version)
    if later:
        raise UsageError(
            f"cvat_version: {version!r}: CVAT goes there from {old} by {first}: run"
            f" `labelspace upgrade {name} {first}` first"
        )


def _newest(runtime: Runtime, source: agent.Repository) -> str:
    """The newest backup of a workspace that has no container of its database: from when it stopped."""
    complete = [row.id for row in agent.list_backups(runtime, source, in_service=False) if row.complete]
    if not complete:
        raise OpsError("there is no complete backup")
    return complete[-1]


def _quiet_backup(runtime: Runtime) -> str:
    """Stop the services that write and back up once more; they are started again when that fails."""
    services = runtime.services()
    stopped = [part for part in WRITERS if part in services and services[part].running]
    try:
        runtime.stop(stopped)
        return final_backup.take_final_backup(runtime, prove=False)
    except OpsError:
        runtime.start(stopped)
        raise


def restore_later(name: str, old: str, backup: str) -> str:
    """Return how to go back after an upgrade that succeeded."""
    return (
        f"backup {backup} is from before the upgrade: `labelspace create NEW --from-backup {backup}"
        f" --cvat-version {old}` with the buckets of {name} makes a workspace of CVAT {old} from it"
    )


def way_back(name: str, old: str, backup: str) -> str:
    """Return the next step when the rehearsal passed and the update failed."""
    return (
        f"the same command again goes on. Back to CVAT {old}: `labelspace set {name} cvat_version={old}`,"
        f" then `labelspace restore {name} --backup {backup}`"
    )


def _deployed_version(name: str) -> str:
    """The version of the stack's last update; empty where the stack is no workspace of this machine."""
    try:
        return str(state.outputs(name, Home.find()).get("cvat_version", ""))
    except OpsError:
        return ""


def hook(spec: WorkspaceSpec, old: str) -> None:
    """Back up and rehearse, called by Pulumi before the image of another version is used."""
    runtime, name = DockerRuntime.here(spec.name), spec.name
    old = old or running_version(runtime) or _deployed_version(name)
    if old and old != spec.cvat_version:
        backup = before(runtime, agent.repository_for(spec, Home.find()), spec.cvat_version, old)
        message(
            f"{name}: from before the upgrade: backup {backup}; if it fails: {way_back(name, old, backup)}"
        )
