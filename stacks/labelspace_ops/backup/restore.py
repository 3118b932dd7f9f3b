"""Brings a workspace's annotations back to a moment: the server stops, and is ready again at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import docker
from docker.models.containers import Container
from pulumi import automation as auto

from labelspace.home import Home
from labelspace.spec import parse_spec
from labelspace_ops.backup import agent, upgrade, upgrade_test
from labelspace_ops.backup.restore_plan import RestorePlan, make_plan
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.labels import program
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, leftovers, progress

STORES = ("redis", "cache")
"""And the container with the backup program: the database's, or that of an external one."""
PATIENCE_SECONDS = 900
ONE_SHOTS = ("migrate", "readiness")


def restore(name: str, home: Home, *, to: str = "", backup: str = "") -> dict[str, Any]:
    """Restore to a time, a backup, or (neither) the last archived change; says what is lost."""
    chosen = stack.select(name, home)
    client = docker_engine.connect()
    source = agent.workspace_repository(name, home)
    spec = parse_spec(stack.read_settings(chosen))
    start = partial(_start, client, chosen, home) if spec.running else None
    with locks.hold(home, name, "restoring"):
        return restore_with_version(client, source, spec.cvat_version, to=to, backup=backup, start=start)


def restore_with_version(
    client: docker.DockerClient,
    source: agent.Repository,
    version: str,
    *,
    to: str,
    backup: str,
    start: Callable[[], object] | None,
) -> dict[str, Any]:
    """As ``restore``; ``version`` of CVAT will run on it; ``start`` ends when it does, None: it rests."""
    rows = list_backups(client, source)
    planned = make_plan(rows, to, backup, datetime.now(UTC))
    known = upgrade_test.refuse_newer(client, rows, planned.backup, version)
    # a stopped one had its last backup when it stopped
    kept = _keep(client, source) if start else str(rows[-1]["id"])
    done = _replace(client, source, planned, known)
    if start:
        start()
    return {
        "name": source.workspace,
        "to": planned.moment,
        "from_backup": planned.backup,
        "last_change": done["last_change"],
        "kept": kept,
        "lost": _lost(planned, kept),
    }


def list_backups(client: docker.DockerClient, source: agent.Repository) -> list[dict[str, Any]]:
    """The backups, oldest first, whether the database runs or not."""
    return list(agent.call_or_run(client, source, "list"))


def _lost(planned: RestorePlan, kept: str | None) -> str:
    if "--type=default" not in planned.target:
        later = f"is kept in {kept}" if kept else "could not be kept: nothing was left of it"
        return f"nothing of what was there at {planned.moment}; what came later {later}"
    if kept:
        return "nothing"
    return "what was written in the last seconds before the loss and not yet archived"


def _keep(client: docker.DockerClient, source: agent.Repository) -> str | None:
    """A backup of what is replaced; None when nothing is left, or an interrupted restore kept it before."""
    name = source.workspace
    one = agent.backup_container(client, name)
    if one is None or not (one.status == "running" and docker_engine.is_healthy(one)):
        if one is not None:
            one.stop(timeout=30)
        standing = agent.call_in_new_container(client, source, "standing", volumes_of=name)
        if standing["interrupted"] or not standing["data"]:
            return None
    message(f"{name}: keeping what is there as a backup")
    try:
        if one is None:
            raise OpsError(f"{name}: its database has no container")
        one.start()
        docker_engine.until_healthy(one)
        return str(agent.call(one, "backup", kind="incr", throttled=False)["id"])
    except OpsError as error:
        if agent.database(client, name) and one is not None and docker_engine.is_healthy(one):
            raise OpsError(f"{name}: what is there cannot be kept ({error}): nothing was changed") from None
    return _keep_the_folder(client, source, one)


def _keep_the_folder(client: docker.DockerClient, source: agent.Repository, one: Container | None) -> str:
    """The files of a database that does not start, as they are; restic has them under the returned tag."""
    if one is not None:
        one.stop(timeout=30)
    if source.database:
        raise OpsError(
            f"{source.workspace}: what is there cannot be kept: the container of backups does not run"
        )
    tag = f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    agent.call_in_new_container(
        client, source, "keep-folder", volumes_of=source.workspace, tag=tag, folder=agent.VOLUMES["database"]
    )
    return tag


def _replace(
    client: docker.DockerClient, source: agent.Repository, planned: RestorePlan, known: list[str]
) -> dict[str, Any]:
    name = source.workspace
    mine = docker_engine.containers(client, name)
    message(f"{name}: stopping the server")
    docker_engine.stop_application(mine)
    stores = (*STORES, *agent.BACKUP_PARTS)
    docker_engine.run_parallel([mine[part] for part in stores if part in mine], docker_engine.stop)
    message(f"{name}: restoring {planned.moment} from backup {planned.backup}")
    try:
        answer = agent.call_in_new_container(
            client, source, "restore", volumes_of=name,
            backup=planned.backup, target=planned.target, files=planned.files, known=known, same_place=True,
        )  # fmt: skip
    except OpsError as error:
        raise OpsError(
            f"{name}: the restore failed: {error}. What was there is unchanged:"
            f" `labelspace create {name}` starts it again, or choose an older backup with --backup"
        ) from None
    return dict(answer)


def _start(client: docker.DockerClient, chosen: auto.Stack, home: Home) -> None:
    """Start what is there in order, or have Pulumi make what is missing; ends when the gate has passed."""
    name = chosen.name
    mine = docker_engine.containers(client, name)
    keeper = agent.backup_container(client, name)
    if keeper is None or not {*STORES, *docker_engine.SERVING, *ONE_SHOTS} <= mine.keys():
        locks.clear_stale(backend.state_folder(home), chosen)
        leftovers.remove_leftovers(DockerRuntime(client, name), chosen, home)
    else:
        # whoever is started waits by itself for the database to take writes, and for ``migrate``
        parts = (*STORES, *agent.BACKUP_PARTS, *docker_engine.SERVING, "gateway")
        docker_engine.run_parallel([mine[part] for part in parts if part in mine], Container.start)
        _through(mine["migrate"])
        with progress.gate(DockerRuntime(client, name)):
            _through(mine["readiness"])
        docker_engine.until_healthy(keeper)  # a backup of its new timeline was made meanwhile
        return
    with progress.gate(DockerRuntime(client, name)):
        stack.update(chosen, partial(program.run, before_upgrade=upgrade.hook), progress.Resources().on_event)


def _through(one_shot: Container) -> None:
    one_shot.start()
    code = one_shot.wait(timeout=PATIENCE_SECONDS)["StatusCode"]
    if code:
        raise OpsError(f"{one_shot.name} ended with {code}: see why with `docker logs {one_shot.name}`")
