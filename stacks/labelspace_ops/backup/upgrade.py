"""Another version of CVAT: backed up and rehearsed before anything of the workspace is touched.

`labelspace` asks here before an update that changes the version; every other update, and plain `pulumi up`,
asks by the hook on the server's image.
"""

from __future__ import annotations

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from labelspace.cvat.images import image_version
from labelspace.home import Home
from labelspace.spec import WorkspaceSpec
from labelspace_ops.backup import agent, final_backup, upgrade_test
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import state

WRITERS = ("worker", "worker-chunks", "server")


def running_version(client: docker.DockerClient, name: str) -> str:
    """The version of the workspace's server, running or not; empty without one."""
    one = docker_engine.containers(client, name).get("server")
    return image_version(str(one.attrs["Config"]["Image"])) if one else ""


def before(client: docker.DockerClient, source: agent.Repository, version: str, old: str) -> str:
    """Let an upgrade happen, or raise with the workspace as it was; the id of the backup from before it.

    Empty when it is none. Those who write are stopped at the end: nothing is written after that backup.
    """
    name = source.workspace
    if not old or old == version:
        return ""
    refuse_older(version, old)
    message(f"{name}: CVAT {old} -> {version}: a backup first")
    try:
        upgrade_test.require_image(client, version)
        backup = final_backup.take_final_backup(client, name, prove=False) or _newest(client, source)
        upgrade_test.rehearse(client, source, backup, version)
        return _quiet_backup(client, name) or backup
    except UsageError:
        raise
    except (OpsError, DockerException) as error:
        raise OpsError(
            f"cvat_version: {version}: the rehearsal failed: {error}. Nothing was changed:"
            f" {name} stays at {old}"
        ) from None


def refuse_older(version: str, old: str) -> None:
    """Raises ``UsageError`` for a version from before the one that is there."""
    if _order(version) < _order(old):
        raise UsageError(
            f"cvat_version: {version!r} is older than {old}: CVAT's migrations have no way back;"
            f" make a workspace of {version} from a backup of that time"
        )


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _newest(client: docker.DockerClient, source: agent.Repository) -> str:
    """Of a workspace without a database's container: its last backup, from when it stopped."""
    rows = agent.call_in_new_container(client, source, "list")
    whole = [str(row["id"]) for row in rows if row["complete"]]
    if not whole:
        raise OpsError("there is no complete backup")
    return whole[-1]


def _quiet_backup(client: docker.DockerClient, name: str) -> str:
    """Stop who writes, then back up once more; they run again when that fails."""
    mine = docker_engine.containers(client, name)
    stopped = [mine[part] for part in WRITERS if part in mine and mine[part].status == "running"]
    try:
        docker_engine.run_parallel(stopped, docker_engine.stop)
        return final_backup.take_final_backup(client, name, prove=False)
    except (OpsError, DockerException):
        docker_engine.run_parallel(stopped, Container.start)
        raise


def way_back(name: str, old: str, backup: str) -> str:
    """What to do when the rehearsal passed and the update failed all the same."""
    return (
        f"the same command again goes on. Back to CVAT {old}: `labelspace set {name} cvat_version={old}`,"
        f" then `labelspace restore {name} --backup {backup}`"
    )


def _deployed(name: str) -> str:
    """The version of the stack's last update; empty where the stack is no workspace of this machine."""
    try:
        return str(state.outputs(name, Home.find()).get("cvat_version", ""))
    except OpsError:
        return ""


def hook(spec: WorkspaceSpec, old: str) -> None:
    """For a stack's program: asked by Pulumi before the image of another version is used."""
    client, name = docker_engine.connect(), spec.name
    old = old or running_version(client, name) or _deployed(name)
    if old and old != spec.cvat_version:
        source = agent.repository_for(spec, Home.find())
        backup = before(client, source, spec.cvat_version, old)
        message(
            f"{name}: from before the upgrade: backup {backup}; if it fails: {way_back(name, old, backup)}"
        )
