"""Create, start, stop and delete a workspace: the steps that all targets share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pulumi import automation as auto

from labelspace.home import Home
from labelspace.spec import SPECS, Settings, SpecError, WorkspaceSpec, parse_spec
from labelspace_ops.core import locks
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.labels import labels_file
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, plugins, progress, state
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import CreateOptions, Deletion, Target, Update

MERGED_BLOCKS = ("admin", "backup", "egress", "tls", "email", "notify", *SPECS)
"""Blocks of settings that are merged key by key: a new e-mail address of the admin keeps the password.

The settings that only one target has are in a block of the target's name.
"""
FIXED = ("buckets", "bind_address", "port", "s3_port", "registration", "target", "size")
"""Settings that ``create`` refuses to change on an existing workspace; ``set`` changes them."""


class Stopped(JsonModel):
    """The result of a stop."""

    name: str
    """The workspace."""
    status: str
    """``stopped``."""
    backed_up: bool
    """Whether a last backup was taken."""
    backups: str
    """Folder or bucket of the backups."""


class Deleted(JsonModel):
    """The result of a delete."""

    name: str
    """The workspace."""
    backed_up: bool
    """Whether a last backup was taken."""
    last_backup: str | None = None
    """Its id."""
    backups: str | None
    """Folder or bucket of the backups, which stay; null when they were purged."""
    purged: bool
    """Whether annotations and backups were removed too."""
    come_back: str | None = None
    """The command that creates it again with its data, on target local; null when no data stays."""
    kept: str | None = None
    """What stays and is still billed, on target scaleway."""


def resolve_spec(values: Settings, home: Home) -> WorkspaceSpec:
    """Merge ``values`` over the workspace's settings, over defaults and free ports.

    Raises ``UsageError`` for an invalid setting, and for one that ``create`` may not change.
    """
    name = str(values.get("name", ""))
    validate({"name": name, "buckets": [{"name": "any"}]})  # checks the name before the state is read
    known = name in state.names(home)
    if not known:
        state.must_be_free(name, home)
    existing = (
        stack.read_settings(stack.select(name, home)) if known else stack.settings_without_state(name, home)
    )
    if existing.pop("deleted", False):
        existing = registry.get(existing.get("target", registry.DEFAULT)).revived_settings(existing)
    elif known:
        _refuse_other_settings(existing, values)
    merged = {**existing, **values}
    for block in MERGED_BLOCKS:
        if block in existing and block in values:
            merged[block] = {**existing[block], **values[block]}
    spec = validate({**merged, "buckets": merged.get("buckets") or [{"name": "any"}]})
    return validate({**merged, **registry.get(spec.target).new_values(merged, home)})


def validate(values: Settings) -> WorkspaceSpec:
    """Parse the settings; raises ``UsageError`` with one line for each problem."""
    try:
        return parse_spec(values)
    except SpecError as error:
        raise UsageError(str(error)) from None


def apply_change(name: str, change: Callable[[Settings], Settings], home: Home) -> WorkspaceSpec:
    """Return the spec of an existing workspace after ``change`` of its settings; nothing is written."""
    settings = stack.read_settings(stack.select(name, home))
    _refuse_deleted(settings)
    return validate(change(settings))


def _refuse_deleted(settings: Settings) -> None:
    if settings.get("deleted"):
        name = settings["name"]
        raise UsageError(f"name: {name!r} is deleted: `labelspace create {name}` brings it back first")


def _refuse_other_settings(existing: Settings, values: Settings) -> None:
    """Refuse a `create` whose fixed settings differ from those of the workspace that has the name."""
    for field in FIXED:
        if (
            field in values
            and field in existing
            and _as_argument(existing[field]) != _as_argument(values[field])
        ):
            raise UsageError(
                f"name: {existing['name']!r} is taken by a workspace with other {field}"
                f" ({_as_argument(existing[field])}): choose another name"
                f"{_set_command(existing['name'], field, values[field])}"
            )


def _set_command(name: str, field: str, value: Any) -> str:
    """Name the command that changes the existing workspace; empty for the target, which cannot change."""
    change = f", or change that one: `labelspace set {name} {field}={_as_argument(value)}`"
    return "" if field == "target" else change


def _as_argument(value: Any) -> Any:
    """Format a value as ``labelspace set`` takes it: buckets as NAME or NAME=FOLDER, with commas between."""
    return ",".join(_bucket_argument(item) for item in value) if isinstance(value, list) else value


def _bucket_argument(bucket: Settings) -> str:
    return f"{bucket['name']}={bucket['path']}" if bucket.get("path") else str(bucket["name"])


def create(
    spec: WorkspaceSpec, home: Home, *, reuse_data: bool = False, from_backup: str = ""
) -> WorkspaceSpec:
    """Create the workspace, or continue an interrupted creation; return its spec when it is ready.

    ``reuse_data``: use the data that a deleted workspace of this name left. ``from_backup``: start with the
    annotations of a folder or bucket of backups, of a backup's id, or of a dump. Raises ``OpsError``.
    """
    labels_file.load(spec.name)  # an invalid file is refused before anything is made
    target = registry.get(spec.target)
    known = spec.name in state.names(home)
    plugins.fetch(target.plugins, home)
    options = CreateOptions(known, reuse_data, from_backup)
    with (
        locks.hold(home, spec.name, "creating"),
        target.begin_update(spec, home, options) as update,
    ):
        selected = stack.create_or_select(spec.name, home)
        locks.clear_stale(backend.state_folder(home), selected)
        update.before_settings(selected)
        stack.write_settings(selected, update.spec, new=not known)
        update.before_run(selected)
        _run_update(selected, target, update)
        update.after()
        applied: WorkspaceSpec = update.spec
    return applied


def _run_update(selected: auto.Stack, target: Target[Any], update: Update[Any]) -> None:
    program = target.program(checked=True, rehearsed=True)
    try:
        with update.running():
            stack.update(selected, program, progress.Resources().on_event, refresh=update.refresh)
    except OpsError as error:
        hint = update.hint(str(error))
        raise OpsError(f"{error}\n{hint}" if hint else str(error)) from None


def stop(name: str, home: Home) -> Stopped:
    """Take a last backup, then remove the containers or stop the server; keep data, URL and passwords."""
    selected = stack.select(name, home)
    target = registry.get(stack.target(selected))
    _refuse_deleted(stack.read_settings(selected))
    with locks.hold(home, name, "stopping"):
        locks.clear_stale(backend.state_folder(home), selected)
        last_backup = target.before_stop(selected, home)
        stack.set_running(selected, running=False)
        stack.update(selected, target.program(checked=True), progress.Resources().on_event)
    location = target.backups_location(name, home)
    return Stopped(name=name, status="stopped", backed_up=bool(last_backup), backups=location)


def start(name: str, home: Home) -> WorkspaceSpec:
    """Start a stopped workspace; return its spec when it is ready."""
    _refuse_deleted(stack.read_settings(stack.select(name, home)))
    with ThreadPoolExecutor(1) as pool:  # fills the cache of the state, which create() reads
        export = pool.submit(state.deployment, name, home)
        spec = resolve_spec({"name": name, "running": True}, home)
        export.result()
    return create(spec, home)


def retained_data(spec: WorkspaceSpec, home: Home) -> str:
    """Describe the data that a deleted workspace of this name left; empty when there is none."""
    return registry.get(spec.target).retained(spec.name, home)


def delete(name: str, home: Home, *, purge: bool) -> Deleted:
    """Take a last backup and remove the running parts.

    ``purge``: remove the data and the stack too. Raises ``OpsError`` before anything is removed when the last
    backup fails.
    """
    if purge and name not in state.names(home) and _purge_retained(name, home):
        return _purged(name)
    selected = stack.select(name, home)
    target = registry.get(stack.target(selected))
    if purge:
        target.refuse_purge()

    def destroy() -> None:
        stack.destroy(selected, progress.Resources().on_event)
        selected.workspace.remove_stack(name)

    with locks.hold(home, name, "deleting"):
        locks.clear_stale(backend.state_folder(home), selected)
        deletion = target.delete(selected, home, destroy, purge=purge)
    return _purged(name) if purge else _deleted(name, deletion)


def has_retained_data(name: str, home: Home) -> bool:
    """Return whether any target still holds data of a deleted workspace."""
    return any(one.retained(name, home) for one in registry.installed())


def _purge_retained(name: str, home: Home) -> bool:
    with locks.hold(home, name, "deleting"):
        return any(one.purge_retained(name, home) for one in registry.installed())


def _purged(name: str) -> Deleted:
    return Deleted(name=name, backed_up=False, last_backup=None, backups=None, purged=True, come_back=None)


def _deleted(name: str, deletion: Deletion) -> Deleted:
    done = Deleted(
        name=name,
        backed_up=bool(deletion.last_backup),
        last_backup=deletion.last_backup or None,
        backups=deletion.backups or None,
        purged=False,
        come_back=deletion.recreate or None,
    )
    return done.model_copy(update={"kept": deletion.kept}) if deletion.kept else done
