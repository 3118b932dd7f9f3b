"""The life of a workspace, the same on every target: create, start, stop, delete."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.spec import SpecError, WorkspaceSpec, parse_spec
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.labels import labels_file
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import progress, state
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import CreateOptions, Target, Update

MERGED_BLOCKS = ("admin", "backup", "scaleway")
"""Settings of which a new value keeps the others: a new e-mail address keeps the password."""
FIXED = ("buckets", "bind_address", "port", "s3_port", "registration", "target", "size")
"""Settings that ``create`` of an existing workspace does not change: ``set`` does."""


def resolve_spec(values: dict[str, Any], home: Home) -> WorkspaceSpec:
    """What was asked for, over the settings of the workspace, over defaults and free ports."""
    name = str(values.get("name", ""))
    validate({"name": name, "buckets": [{"name": "any"}]})  # nothing is looked up by an invalid name
    existing = stack.read_settings(stack.select(name, home)) if name in state.names(home) else {}
    if existing.pop("deleted", False):
        existing = registry.get(existing.get("target", registry.DEFAULT)).revived_settings(existing)
    else:
        _refuse_other_settings(existing, values)
    merged = {**existing, **values}
    for block in MERGED_BLOCKS:
        if block in existing and block in values:
            merged[block] = {**existing[block], **values[block]}
    spec = validate({**merged, "buckets": merged.get("buckets") or [{"name": "any"}]})
    return validate({**merged, **registry.get(spec.target).new_values(merged, home)})


def validate(values: dict[str, Any]) -> WorkspaceSpec:
    """``parse_spec`` with the exit code of a usage error."""
    try:
        return parse_spec(values)
    except SpecError as error:
        raise UsageError(str(error)) from None


def apply_change(name: str, change: Callable[[dict[str, Any]], dict[str, Any]], home: Home) -> WorkspaceSpec:
    """The spec of an existing workspace after ``change`` of its settings."""
    settings = stack.read_settings(stack.select(name, home))
    _refuse_deleted(settings)
    return validate(change(settings))


def _refuse_deleted(settings: dict[str, Any]) -> None:
    if settings.get("deleted"):
        name = settings["name"]
        raise UsageError(f"name: {name!r} is deleted: `labelspace create {name}` brings it back first")


def _refuse_other_settings(existing: dict[str, Any], values: dict[str, Any]) -> None:
    """A second `create` continues the first; one with other settings is a mistake."""
    for field in FIXED:
        if field in values and field in existing and _text(existing[field]) != _text(values[field]):
            raise UsageError(
                f"name: {existing['name']!r} is taken by a workspace with other {field}"
                f" ({_text(existing[field])}): choose another name"
                f"{_or_set(existing['name'], field, values[field])}"
            )


def _or_set(name: str, field: str, value: Any) -> str:
    """How the existing workspace gets the other value; its target cannot change."""
    change = f", or change that one: `labelspace set {name} {field}={_text(value)}`"
    return "" if field == "target" else change


def _text(value: Any) -> Any:
    """Buckets by their names, as ``labelspace set`` takes them."""
    return ",".join(item["name"] for item in value) if isinstance(value, list) else value


def create(spec: WorkspaceSpec, home: Home, *, reuse_data: bool = False, from_backup: str = "") -> auto.Stack:
    """Create the workspace, or continue an interrupted creation; returns when it is ready.

    ``reuse_data``: continue with what an earlier workspace of the name left. ``from_backup``: start with the
    annotations of a folder or bucket of backups, the id of a backup, or a dump.
    """
    labels_file.load(spec.name)  # an invalid file is refused before anything is made
    target = registry.get(spec.target)
    known = spec.name in state.names(home)
    options = CreateOptions(known, reuse_data, from_backup)
    with (
        locks.hold(home, spec.name, "creating"),
        target.begin_update(spec, home, options) as update,
    ):
        chosen = stack.create_or_select(spec.name, home)
        locks.clear_stale(home, chosen)
        update.before_settings(chosen)
        stack.write_settings(chosen, update.spec, new=not known)
        update.before_run(chosen)
        _run(chosen, target, update)
        update.after()
    return chosen


def _run(chosen: auto.Stack, target: Target[Any], update: Update[Any]) -> None:
    program = target.program(checked=True, rehearsed=True)
    try:
        with update.running():
            stack.update(chosen, program, progress.Resources().on_event, refresh=update.refresh)
    except OpsError as error:
        hint = update.hint(str(error))
        raise OpsError(f"{error}\n{hint}" if hint else str(error)) from None


def stop(name: str, home: Home) -> dict[str, Any]:
    """Take a last backup, then remove the containers or stop the server; data, URL and passwords stay."""
    chosen = stack.select(name, home)
    target = registry.get(stack.target(chosen))
    _refuse_deleted(stack.read_settings(chosen))
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(home, chosen)
        last = target.before_stop(chosen, home)
        stack.set_running(chosen, running=False)
        stack.update(chosen, target.program(checked=True), progress.Resources().on_event)
    location = target.backups_location(name, home)
    return {"name": name, "status": "stopped", "backed_up": bool(last), "backups": location}


def start(name: str, home: Home) -> auto.Stack:
    """Run a stopped workspace again; returns when it is ready."""
    _refuse_deleted(stack.read_settings(stack.select(name, home)))
    with ThreadPoolExecutor(1) as pool:  # both ask Pulumi, which answers from its cache below
        export = pool.submit(state.deployment, name, home)
        spec = resolve_spec({"name": name, "running": True}, home)
        export.result()
    return create(spec, home)


def retained_data(spec: WorkspaceSpec, home: Home) -> str:
    """What an earlier workspace of this name left, for people; empty for nothing."""
    return registry.get(spec.target).retained(spec.name, home)


def delete(name: str, home: Home, *, purge: bool) -> dict[str, Any]:
    """Take a last backup and remove what runs; with ``purge`` the data and the stack too."""
    if purge and name not in state.names(home) and _purge_retained(name, home):
        return _deleted(name, purged=True)
    chosen = stack.select(name, home)
    target = registry.get(stack.target(chosen))
    if purge:
        target.refuse_purge()

    def destroy() -> None:
        stack.destroy(chosen, progress.Resources().on_event)
        chosen.workspace.remove_stack(name)

    with locks.hold(home, name, "deleting"):
        locks.clear_stale(home, chosen)
        left = target.delete(chosen, home, destroy, purge=purge)
    return (
        _deleted(name, purged=purge)
        if purge
        else {
            **_deleted(name, purged=False),
            "backed_up": bool(left.last_backup),
            "last_backup": left.last_backup or None,
            "backups": left.backups or None,
            "come_back": left.recreate or None,
            **({"kept": left.kept} if left.kept else {}),
        }
    )


def has_retained_data(name: str, home: Home) -> bool:
    """Whether any target still holds data of a deleted workspace."""
    return any(registry.get(one).retained(name, home) for one in registry.names())


def _purge_retained(name: str, home: Home) -> bool:
    return any(registry.get(one).purge_retained(name, home) for one in registry.names())


def _deleted(name: str, *, purged: bool) -> dict[str, Any]:
    return {
        "name": name,
        "backed_up": False,
        "last_backup": None,
        "backups": None,
        "purged": purged,
        "come_back": None,
    }
