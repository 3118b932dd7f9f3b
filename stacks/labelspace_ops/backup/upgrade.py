"""Another version of CVAT: backed up and rehearsed before anything of the workspace is touched.

`labelspace` asks here before an update that changes the version; every other update, and plain `pulumi up`,
asks by the hook on the server's image.
"""

from __future__ import annotations

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from labelspace.cvat.images import version_of
from labelspace.home import Home
from labelspace.spec import WorkspaceSpec
from labelspace_ops import engine, state
from labelspace_ops.backup import agent, ending, rehearsal
from labelspace_ops.commands.app import say
from labelspace_ops.errors import OpsError, UsageError

WRITERS = ("worker", "worker-chunks", "server")


def running_version(client: docker.DockerClient, name: str) -> str:
    """The version of the workspace's server, running or not; empty without one."""
    one = engine.containers(client, name).get("server")
    return version_of(str(one.attrs["Config"]["Image"])) if one else ""


def before(client: docker.DockerClient, source: agent.Source, version: str, old: str) -> str:
    """Let an upgrade happen, or raise with the workspace as it was; the id of the backup from before it.

    Empty when it is none. Those who write are stopped at the end: nothing is written after that backup.
    """
    name = source.workspace
    if not old or old == version:
        return ""
    refuse_older(version, old)
    say(f"{name}: CVAT {old} -> {version}: a backup first")
    try:
        rehearsal.had(client, version)
        backup = ending.last_backup(client, name, prove=False) or _newest(client, source)
        rehearsal.rehearse(client, source, backup, version)
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


def _newest(client: docker.DockerClient, source: agent.Source) -> str:
    """Of a workspace without a database's container: its last backup, from when it stopped."""
    rows = agent.ask_apart(client, source, "list")
    whole = [str(row["id"]) for row in rows if row["complete"]]
    if not whole:
        raise OpsError("there is no complete backup")
    return whole[-1]


def _quiet_backup(client: docker.DockerClient, name: str) -> str:
    """Stop who writes, then back up once more; they run again when that fails."""
    mine = engine.containers(client, name)
    stopped = [mine[part] for part in WRITERS if part in mine and mine[part].status == "running"]
    try:
        engine.together(stopped, engine.stop)
        return ending.last_backup(client, name, prove=False)
    except (OpsError, DockerException):
        engine.together(stopped, Container.start)
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
    client, name = engine.connect(), spec.name
    old = old or running_version(client, name) or _deployed(name)
    if old and old != spec.cvat_version:
        source = agent.source_of(name, spec.backup, Home.find())
        backup = before(client, source, spec.cvat_version, old)
        say(f"{name}: from before the upgrade: backup {backup}; if it fails: {way_back(name, old, backup)}")
