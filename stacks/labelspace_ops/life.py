"""A workspace's life: made, brought back on course, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.spec import SpecError, WorkspaceSpec, parse_spec
from labelspace_ops import cloud, engine, locks, preflight, progress, rest, stack
from labelspace_ops.backup import ending
from labelspace_ops.commands.app import say
from labelspace_ops.errors import UsageError

FIRST_PORT = 8080


def wished(values: dict[str, Any], home: Home) -> WorkspaceSpec:
    """The whole wish: what was asked for, over what the workspace has, over the defaults and free ports."""
    name = str(values.get("name", ""))
    probe = {**values, "buckets": values.get("buckets") or [{"name": "any"}]}
    validated(probe)  # the name first: nothing is looked up by a bad one
    kept = stack.read_settings(stack.select(name, home)) if name in stack.names(home) else {}
    _not_taken(kept, values)
    merged = {**kept, **values}
    if "admin" in kept and "admin" in values:
        merged["admin"] = {**kept["admin"], **values["admin"]}  # a new e-mail keeps the password
    if not kept:
        _give_ports(merged, home)
    return validated(merged)


def validated(values: dict[str, Any]) -> WorkspaceSpec:
    """``parse_spec`` with the exit code of a usage error."""
    try:
        return parse_spec(values)
    except SpecError as error:
        raise UsageError(str(error)) from None


def changed(name: str, change: Callable[[dict[str, Any]], dict[str, Any]], home: Home) -> WorkspaceSpec:
    """The wish of a workspace that exists, after ``change`` of its settings."""
    return validated(change(stack.read_settings(stack.select(name, home))))


def _not_taken(kept: dict[str, Any], values: dict[str, Any]) -> None:
    """A second `create` goes on with the first; one that wants something else is a mistake."""
    for field in ("buckets", "listen", "port", "s3_port", "registration", "target", "size"):
        if kept and field in values and field in kept and _names(kept[field]) != _names(values[field]):
            raise UsageError(
                f"name: {kept['name']!r} is taken by a workspace with other {field}"
                f" ({_names(kept[field])}): choose another name, or change its settings with"
                f" `pulumi config set` and run `labelspace create {kept['name']}`"
            )


def _names(value: Any) -> Any:
    return [item["name"] for item in value] if isinstance(value, list) else value


def _give_ports(values: dict[str, Any], home: Home) -> None:
    listen = str(values.get("listen", "127.0.0.1"))
    taken = _ports_of_others(home)
    for field in ("port", "s3_port"):
        if field not in values:
            values[field] = preflight.free_port(listen, FIRST_PORT, taken)
        taken.add(int(values[field]))


def _ports_of_others(home: Home) -> set[int]:
    """Ports that stopped workspaces will want back."""
    settings = [stack.read_settings(stack.select(name, home)) for name in stack.names(home)]
    return {one[field] for one in settings for field in ("port", "s3_port") if field in one}


def create(spec: WorkspaceSpec, home: Home) -> auto.Stack:
    """Make the workspace, or take it up where an earlier attempt ended; ends when it is ready."""
    if spec.target == "scaleway":
        return cloud.create(spec, home)
    client = engine.connect()
    known = spec.name in stack.names(home)
    preflight.check(spec, client, home, known=known)
    with locks.hold(home, spec.name, "creating"):
        chosen = stack.create_or_select(spec.name, home)
        stack.write_settings(chosen, spec)
        locks.clear_stale(home, chosen)
        engine.sweep(client, chosen)
        with progress.gate(client, spec.name):
            stack.update(chosen, progress.Resources().on_event)
    rest.wake(spec.name, stack.values(chosen), say)
    return chosen


def stop(name: str, home: Home) -> dict[str, Any]:
    """Back up once more, then remove the containers; data, URL, credentials and sessions stay."""
    chosen = stack.select(name, home)
    if stack.target(chosen) == "scaleway":
        return cloud.stop(name, home)
    client = engine.connect()
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        backed_up = bool(ending.last_backup(client, name, prove=False))
        stack.set_running(chosen, running=False)
        engine.sweep(client, chosen)
        stack.update(chosen, progress.Resources().on_event)
    return {"name": name, "status": "stopped", "backed_up": backed_up, "backups": str(home.backups / name)}


def start(name: str, home: Home) -> auto.Stack:
    """Run a stopped workspace again; ends when it is ready."""
    return create(wished({"name": name, "running": True}, home), home)


def delete(name: str, home: Home, *, purge: bool) -> dict[str, Any]:
    """Back up once more, remove the containers, forget the stack; with ``purge`` the data too."""
    chosen = stack.select(name, home)
    if stack.target(chosen) == "scaleway":
        if purge:
            raise UsageError("purge: data on Scaleway is removed in its console: delete without --purge")
        return cloud.delete(name, home)
    client = engine.connect()
    where = home.backups / name
    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        last = "" if purge else ending.last_backup(client, name)
        stack.destroy(chosen, progress.Resources().on_event)
        for one in engine.containers(client, name).values():
            engine.remove(one)
        chosen.workspace.remove_stack(name)
        if purge:
            engine.remove_data(client, name, where)
    return {
        "name": name,
        "backed_up": bool(last),
        "last_backup": last or None,
        "backups": None if purge else str(where),
        "purged": purge,
    }
