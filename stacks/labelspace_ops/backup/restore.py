"""Restores a workspace to a moment: the server stops, and is ready again at the end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.spec import parse_spec
from labelspace_ops.backup import agent, upgrade, upgrade_test
from labelspace_ops.backup.models import BackupRow, Restored
from labelspace_ops.backup.restore_plan import RestorePlan, make_plan
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.labels import program
from labelspace_ops.runtime.base import APPLICATION, Runtime, stop, stop_application
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, declared, leftovers, progress

STORES = ("redis", "cache")
DATA_SERVICES = (*STORES, *agent.PARTS)
ONE_SHOTS = ("migrate", "readiness")
NOTHING = "nothing"


def restore(name: str, home: Home, *, to: str = "", backup: str = "") -> Restored:
    """Restore to a time, a backup, or (neither) the last archived change."""
    selected = stack.select(name, home)
    runtime, source = DockerRuntime.here(name), agent.workspace_repository(name, home)
    spec = parse_spec(stack.read_settings(selected))
    start = partial(_start, runtime, selected, home) if spec.running else None
    with locks.hold(home, name, "restoring"):
        return restore_with_version(runtime, source, spec.cvat_version, to=to, backup=backup, start=start)


def restore_with_version(
    runtime: Runtime,
    source: agent.Repository,
    version: str,
    *,
    to: str,
    backup: str,
    start: Callable[[], object] | None,
) -> Restored:
    """As ``restore``; this ``version`` of CVAT will run. ``start`` starts it; None: it stays stopped."""
    rows = agent.list_backups(runtime, source)
    plan = make_plan(rows, to, backup, datetime.now(UTC))
    known = upgrade_test.refuse_newer(runtime, rows, plan.backup, version)
    lost_files = _lost_files(runtime, source, rows)
    kept = _keep(runtime, source) if start else rows[-1].id  # a stopped one had its last backup at its stop
    last_change = _replace(runtime, source, plan, known)
    if start:
        start()
    return Restored(
        name=source.workspace,
        to=plan.moment,
        from_backup=plan.backup,
        last_change=last_change,
        kept=kept,
        lost=_lost(plan, kept, lost_files),
    )


def _lost(plan: RestorePlan, kept: str | None, volumes: list[str]) -> str:
    annotations = _lost_annotations(plan, kept)
    if not volumes:
        return annotations
    what = f"CVAT's files ({' and '.join(volumes)})"
    files = f"what was added to {what} after backup {plan.files}"
    if not plan.files:
        files = f"{what}: no backup has them"
    return files if annotations == NOTHING else f"{annotations}; {files}"


def _lost_annotations(plan: RestorePlan, kept: str | None) -> str:
    if "--type=default" not in plan.target:
        later = f"is kept in {kept}" if kept else "could not be kept: nothing was left of it"
        return f"nothing of what was there at {plan.moment}; what came later {later}"
    return NOTHING if kept else "what was written in the last seconds before the loss and not yet archived"


def _lost_files(runtime: Runtime, source: agent.Repository, rows: list[BackupRow]) -> list[str]:
    """The volumes of CVAT's files that are not those of the backups: emptied, or made again."""
    recorded = [row.identities for row in rows if any(row.identities.values())]
    found = agent.standing(runtime, source).identities
    newest = recorded[-1] if recorded else {}
    return [name for name, identity in newest.items() if identity and found[name] != identity]


def _keep(runtime: Runtime, source: agent.Repository) -> str | None:
    """Back up what is replaced; None when nothing is left, or an interrupted restore kept it before."""
    service = agent.backup_service(runtime)
    if not _is_healthy(runtime):
        runtime.stop([service] if service else [])
        standing = agent.standing(runtime, source)
        if standing.interrupted or not standing.data:
            return None
    message(f"{source.workspace}: keeping what is there as a backup")
    try:
        if not service:
            raise OpsError(f"{source.workspace}: its database has no container")
        runtime.start([service])
        runtime.wait_until_healthy(service)
        return agent.take_backup(runtime).id
    except OpsError as error:
        if _is_healthy(runtime):
            raise OpsError(
                f"{source.workspace}: what is there cannot be kept ({error}): nothing was changed"
            ) from None
    return _keep_folder(runtime, source, service)


def _is_healthy(runtime: Runtime) -> bool:
    service = agent.running_service(runtime)
    return bool(service) and runtime.is_healthy(service)


def _keep_folder(runtime: Runtime, source: agent.Repository, service: str) -> str:
    """Copy the files of a database that does not start; return restic's tag of the copy."""
    runtime.stop([service] if service else [])
    if source.database:
        raise OpsError(
            f"{source.workspace}: what is there cannot be kept: the container of backups does not run"
        )
    tag, folder = f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}", agent.VOLUMES["database"]
    agent.run(runtime, source, "keep-folder", writes_volumes=True, tag=tag, folder=folder)
    return tag


def _replace(runtime: Runtime, source: agent.Repository, plan: RestorePlan, known: list[str]) -> str | None:
    """Stop every service and restore; return the time of the last change."""
    name = source.workspace
    message(f"{name}: stopping the server")
    stop_application(runtime)
    stop(runtime, DATA_SERVICES)
    message(f"{name}: restoring {plan.moment} from backup {plan.backup}")
    try:
        answer = agent.run(
            runtime, source, "restore", writes_volumes=True,
            backup=plan.backup, target=plan.target, files=plan.files, known=known, same_place=True,
        )  # fmt: skip
    except OpsError as error:
        raise OpsError(
            f"{name}: the restore failed: {error}. What was there is unchanged:"
            f" `{declared.repair_command(name)}` starts it again, `labelspace restore {name} --backup ID`"
            " takes an older backup"
        ) from None
    return answer["last_change"] and str(answer["last_change"])


def _start(runtime: DockerRuntime, selected: auto.Stack, home: Home) -> None:
    """Start the services in order, or have Pulumi make those that are missing; return when CVAT is ready."""
    services, backups = runtime.services(), agent.backup_service(runtime)
    if not backups or not {*STORES, *APPLICATION, *ONE_SHOTS} <= services.keys():
        if declared.current():
            raise OpsError(
                f"{runtime.workspace}: it is restored, and containers are missing: run `pulumi up --refresh`"
            )
        _update(runtime, selected, home)
        return
    start_services(runtime)


def start_services(runtime: Runtime) -> None:
    """Start services that exist; return when CVAT is ready and the database has a first backup."""
    # Each service waits by itself until the database takes writes, and for `migrate`.
    services, parts = runtime.services(), (*DATA_SERVICES, *APPLICATION, "gateway")
    runtime.start([part for part in parts if part in services])
    _run_one_shot(runtime, "migrate")
    with progress.gate(runtime):
        _run_one_shot(runtime, "readiness")
    runtime.wait_until_healthy(agent.backup_service(runtime))


def _update(runtime: DockerRuntime, selected: auto.Stack, home: Home) -> None:
    locks.clear_stale(backend.state_folder(home), selected)
    leftovers.remove_leftovers(runtime, selected, home)
    with progress.gate(runtime):
        update = partial(program.run, before_upgrade=upgrade.hook)
        stack.update(selected, update, progress.Resources().on_event)


def _run_one_shot(runtime: Runtime, part: str) -> None:
    runtime.start([part])
    code = runtime.wait(part)
    if code:
        log = runtime.read_log(part)
        reason = log.text.strip()[-300:] if log else "it has no log"
        raise OpsError(f"{runtime.workspace}: {part} ended with {code}: {reason}")
