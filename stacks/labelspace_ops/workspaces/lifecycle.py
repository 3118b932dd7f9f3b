"""A workspace's life: made, brought back on course, deleted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import docker
from pulumi import automation as auto

from labelspace.home import Home
from labelspace.postgres import pgbackrest as described
from labelspace.spec import BackupSpec, SpecError, WorkspaceSpec, parse_spec
from labelspace_ops.backup import agent, final_backup, import_backup, retained, upgrade
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.cvat import sleep
from labelspace_ops.labels import labels_file
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import progress, state
from labelspace_ops.storage import buckets
from labelspace_ops.targets.local import preflight
from labelspace_ops.targets.scaleway import lifecycle as cloud
from labelspace_ops.workspaces import program

FIRST_PORT = 8080
PORTS = ("port", "s3_port")


def resolve_spec(values: dict[str, Any], home: Home) -> WorkspaceSpec:
    """The whole wish: what was asked for, over what the workspace has, over the defaults and free ports."""
    name = str(values.get("name", ""))
    probe = {**values, "buckets": values.get("buckets") or [{"name": "any"}]}
    validate(probe)  # the name first: nothing is looked up by a bad one
    kept = stack.read_settings(stack.select(name, home)) if name in state.names(home) else {}
    _not_taken(kept, values)
    merged = {**kept, **values}
    for field in ("admin", "backup", "scaleway"):  # a new e-mail keeps the password, a bucket the schedule
        if field in kept and field in values:
            merged[field] = {**kept[field], **values[field]}
    if not kept:
        _give_ports(merged, home)
    return validate(merged)


def validate(values: dict[str, Any]) -> WorkspaceSpec:
    """``parse_spec`` with the exit code of a usage error."""
    try:
        return parse_spec(values)
    except SpecError as error:
        raise UsageError(str(error)) from None


def apply_change(name: str, change: Callable[[dict[str, Any]], dict[str, Any]], home: Home) -> WorkspaceSpec:
    """The wish of a workspace that exists, after ``change`` of its settings."""
    return validate(change(stack.read_settings(stack.select(name, home))))


def _not_taken(kept: dict[str, Any], values: dict[str, Any]) -> None:
    """A second `create` goes on with the first; one that wants something else is a mistake."""
    for field in ("buckets", "bind_address", "port", "s3_port", "registration", "target", "size"):
        if kept and field in values and field in kept and _names(kept[field]) != _names(values[field]):
            raise UsageError(
                f"name: {kept['name']!r} is taken by a workspace with other {field}"
                f" ({_names(kept[field])}): choose another name{_or_set(kept['name'], field, values[field])}"
            )


def _or_set(name: str, field: str, value: Any) -> str:
    """How the workspace that is there gets the other value; a target stays what it is."""
    return (
        "" if field == "target" else f", or change that one: `labelspace set {name} {field}={_names(value)}`"
    )


def _names(value: Any) -> Any:
    """Buckets by their names, as ``labelspace set`` takes them."""
    return ",".join(item["name"] for item in value) if isinstance(value, list) else value


def _give_ports(values: dict[str, Any], home: Home) -> None:
    bind_address = str(values.get("bind_address", "127.0.0.1"))
    missing = [field for field in PORTS if field not in values]
    taken = {int(values[field]) for field in PORTS if field in values}
    if missing:
        taken |= _ports_of_others(home)
    for field in missing:
        values[field] = preflight.free_port(bind_address, FIRST_PORT, taken)
        taken.add(int(values[field]))


def _ports_of_others(home: Home) -> set[int]:
    """Ports that stopped workspaces will want back."""
    settings = [stack.read_settings(stack.select(name, home)) for name in state.names(home)]
    return {one[field] for one in settings for field in PORTS if field in one}


def create(spec: WorkspaceSpec, home: Home, *, reuse_data: bool = False, from_backup: str = "") -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended; ends when it is ready.

    ``reuse_data``: go on with what an earlier workspace of the name left. ``from_backup``: begin with the
    annotations of another one, as ``origin.find`` takes it.
    """
    if spec.target == "scaleway":
        return cloud.create(spec, home, from_backup=from_backup)
    labels_file.load(spec.name)  # a file that cannot be read ends it here, before anything is made
    client = docker_engine.connect()
    known = spec.name in state.names(home)
    preflight.check(spec, client, home, known=known)
    with locks.hold(home, spec.name, "creating"):
        begins = import_backup.begin(client, spec, home, text=from_backup, reuse_data=reuse_data)
        if begins:
            import_backup.fill(client, begins, spec, home)
        chosen = stack.create_or_select(spec.name, home)
        locks.clear_stale(home, chosen)
        made = docker_engine.remove_leftovers(client, chosen, home, new=not known)
        outputs = state.stack_outputs(made)
        old, backup = _upgrade(client, chosen, spec, home, outputs) if known else ("", "")
        asked = program.run
        stack.write_settings(chosen, spec, new=not known)
        try:
            with progress.gate(client, spec.name):
                look = known and not docker_engine.is_idle(client, made)
                stack.update(chosen, asked, progress.Resources().on_event, refresh=look)
        except OpsError as error:
            hint = f"\n{upgrade.way_back(spec.name, old, backup)}" if backup else ""
            raise OpsError(f"{error}{hint}") from None
    import_backup.finished(spec.name, home)
    if spec.sleep_after_minutes or not spec.running:
        sleep.wake(spec.name, state.outputs(spec.name, home), message)
    return chosen


def _upgrade(
    client: docker.DockerClient, chosen: auto.Stack, spec: WorkspaceSpec, home: Home, outputs: dict[str, Any]
) -> tuple[str, str]:
    """Back up and rehearse when the version changes: the old one, and the backup from before, or empty."""
    old = str(outputs.get("cvat_version", "")) or upgrade.running_version(client, spec.name)
    if not old or old == spec.cvat_version:
        return old, ""
    return old, upgrade.before(client, agent.workspace_repository(chosen.name, home), spec.cvat_version, old)


def stop(name: str, home: Home) -> dict[str, Any]:
    """Back up once more, then remove the containers; data, URL, credentials and sessions stay."""
    chosen = stack.select(name, home)
    if stack.target(chosen) == "scaleway":
        return cloud.stop(name, home)
    client = docker_engine.connect()
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        backed_up = bool(final_backup.take_final_backup(client, name, prove=False))
        stack.set_running(chosen, running=False)
        _stop_serving(client, name)
        docker_engine.remove_leftovers(client, chosen, home)
        stack.update(chosen, partial(program.run, before_upgrade=upgrade.hook), progress.Resources().on_event)
    where = _where(name, _spec_of(chosen), home)
    return {"name": name, "status": "stopped", "backed_up": backed_up, "backups": where}


def _stop_serving(client: docker.DockerClient, name: str) -> None:
    message("  ending the server and its workers")
    docker_engine.stop_application(docker_engine.containers(client, name))


def start(name: str, home: Home) -> auto.Stack:
    """Run a stopped workspace again; ends when it is ready."""
    with ThreadPoolExecutor(1) as beside:  # both ask Pulumi, for what is asked for again below
        known = beside.submit(state.deployment, name, home)
        spec = resolve_spec({"name": name, "running": True}, home)
        known.result()
    return create(spec, home)


def retained_data(name: str, home: Home) -> retained.RetainedData | None:
    """What an earlier workspace of this name left on this machine, when no workspace has the name now."""
    return retained.find_retained(name, docker_engine.connect(), home)


def delete(name: str, home: Home, *, purge: bool) -> dict[str, Any]:
    """Back up once more, remove the containers, forget the stack; with ``purge`` the data too."""
    if purge and name not in state.names(home) and retained_data(name, home):
        return _purge(docker_engine.connect(), name, home, None)
    chosen = stack.select(name, home)
    if stack.target(chosen) == "scaleway":
        if purge:
            raise UsageError("purge: data on Scaleway is removed in its console: delete without --purge")
        return cloud.delete(name, home)
    client = docker_engine.connect()
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        spec = _spec_of(chosen)
        last = "" if purge else final_backup.take_final_backup(client, name)
        _stop_serving(client, name)
        stack.destroy(chosen, progress.Resources().on_event)
        for one in docker_engine.containers(client, name).values():
            docker_engine.remove(one)
        chosen.workspace.remove_stack(name)
        if purge:
            return _purge(client, name, home, spec)
    last = last or _newest(client, name, spec, home)
    come_back = retained.recreate_command(spec) if spec else None
    return _deleted(name, _where(name, spec, home), last=last, come_back=come_back)


def _where(name: str, spec: WorkspaceSpec | None, home: Home) -> str:
    """The place of the backups, for people."""
    return described.location(spec.backup if spec else BackupSpec(), home.backups / name, name)


def _newest(client: docker.DockerClient, name: str, spec: WorkspaceSpec | None, home: Home) -> str:
    """Of a workspace whose database was gone already: it had its last backup when that went."""
    backup = spec.backup if spec else BackupSpec()
    try:
        rows = agent.call_in_new_container(client, agent.repository_for(name, backup, home), "list")
    except OpsError:
        return ""
    return next((str(row["id"]) for row in reversed(rows) if row["complete"]), "")


def _spec_of(chosen: auto.Stack) -> WorkspaceSpec | None:
    """None for a workspace whose making ended before its settings were written."""
    try:
        return parse_spec(stack.read_settings(chosen))
    except SpecError:
        return None


def _purge(client: docker.DockerClient, name: str, home: Home, spec: WorkspaceSpec | None) -> dict[str, Any]:
    """Volumes, backups wherever they are, and the key that nothing needs any more."""
    for one in docker_engine.containers(client, name).values():
        docker_engine.remove(one)
    docker_engine.remove_data(client, name, home.backups / name)
    if spec and spec.backup.bucket:
        buckets.remove_backups(spec.backup.bucket, name)
    home.backup_key(name).unlink(missing_ok=True)
    return {**_deleted(name, None, last="", come_back=None), "purged": True}


def _deleted(name: str, where: str | None, *, last: str, come_back: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "backed_up": bool(last),
        "last_backup": last or None,
        "backups": where,
        "purged": False,
        "come_back": come_back,
    }
