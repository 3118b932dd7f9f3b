"""Preview an update: the resources that change and why, what happens to data, and the downtime.

Nothing is written: the new settings are previewed against the workspace's state, or against an empty one.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from labelspace.cvat_lines import MEANING, line_of
from labelspace.home import Home, write_once
from labelspace.spec import SECRET_WORDS, Settings, WorkspaceSpec, dump_with_secrets
from labelspace_ops.core.models import JsonModel
from labelspace_ops.labels import labels_file, plan
from labelspace_ops.labels.program import declare
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import plugins, project, pulumi_errors, state
from labelspace_ops.targets import registry
from labelspace_ops.workspaces.impact import affects, data_effect, downtime_of

ACTIONS = ("create", "update", "replace", "delete", "same")
_ACTION_OF_STEP = {"create-replacement": "replace", "delete-replaced": "", "read": "", "refresh": ""}


class SettingChange(JsonModel):
    """A setting that differs from the deployed one; the values of secrets are never shown."""

    key: str
    """The setting as a dotted path; a bucket is named, not numbered."""
    before: str
    """The deployed value."""
    after: str
    """The new value."""


class ResourceChange(JsonModel):
    """How one resource changes."""

    resource: str
    """Its name in the stack."""
    kind: str
    """``container``, ``volume``, ``network`` and so on."""
    part: str
    """The part of the workspace: the resource's name without the workspace's."""
    action: str
    """``create``, ``update``, ``replace`` or ``delete``."""
    replaces: bool
    """Whether it is removed and created again."""
    properties: list[str]
    """The properties that differ."""
    why: list[str]
    """The settings that cause the change, or another reason."""
    data: str
    """What happens to the data that it holds; empty when it holds none."""
    downtime: str
    """The downtime that it causes; empty when there is none."""


class Preview(JsonModel):
    """The preview of an update."""

    name: str
    """The workspace."""
    target: str
    """Where it runs."""
    exists: bool
    """Whether it is deployed already."""
    settings: list[SettingChange]
    """Settings that differ from what is deployed."""
    changes: list[ResourceChange]
    """Resources that change, by kind and part: Pulumi announces them in the order of its threads."""
    counts: dict[str, int]
    """How many resources for each of ``create``, ``update``, ``replace``, ``delete``, ``same``."""
    notes: list[str]
    """Further facts: cost, the new URL, risks for data."""
    cost: str = ""
    """What it will cost a month, in total and by part; empty where nothing is billed."""


def preview(spec: WorkspaceSpec, home: Home) -> Preview:
    """Preview ``spec`` over what is deployed under its name; raises ``OpsError`` when the preview fails."""
    target = registry.get(spec.target)
    spec = target.resolve(spec, home)
    plugins.fetch(target.plugins, home)
    known = spec.name in state.names(home)
    steps: list[Any] = []
    with ThreadPoolExecutor(1) as pool, _temporary_program(spec, home, known=known) as chosen:
        image_notes = pool.submit(registry.get(spec.target).image_notes, spec)
        outputs = state.outputs(spec.name, home) if known else {}
        _preview(chosen, steps)
    settings = (
        _settings(json.loads(outputs["settings"]), dump_with_secrets(spec)) if "settings" in outputs else []
    )
    keys = [setting.key for setting in settings]
    changed = list({step.urn: step for step in steps if _action(step) and not _is_frame(step.type)}.values())
    changes = [_change(step, spec, keys, new=not outputs) for step in changed if _action(step) != "same"]
    return Preview(
        name=spec.name,
        target=spec.target,
        exists=bool(outputs),
        settings=settings,
        changes=sorted(changes, key=lambda change: (change.kind, change.part, change.resource)),
        counts={action: sum(_action(step) == action for step in changed) for action in ACTIONS},
        notes=[*_notes(spec, changes, keys, new=not outputs), *image_notes.result()],
        cost=target.cost(spec),
    )


@contextmanager
def _temporary_program(spec: WorkspaceSpec, home: Home, *, known: bool) -> Iterator[auto.Stack]:
    """Open the workspace's stack with ``spec`` as its settings; a new workspace gets a temporary backend."""
    with tempfile.TemporaryDirectory(prefix="labelspace-preview-") as folder:
        options = stack.options(home, Path(folder))
        if known:
            shutil.copy2(project.find(home).settings_file(spec.name), folder)
        else:
            options.env_vars = {**(options.env_vars or {}), **_temporary_state(Path(folder))}
        options.program = partial(declare, spec, labels_file.load(spec.name))
        options.project_settings = auto.ProjectSettings(
            "labelspace", "python", str(project.work_folder(home))
        )
        yield stack.open_stack(spec.name, options, new=not known)


def _temporary_state(folder: Path) -> dict[str, str]:
    """The variables of a state with a passphrase of its own, which go with the folder."""
    passphrase = folder / "passphrase"
    write_once(passphrase, secrets.token_urlsafe(32))
    return {"PULUMI_BACKEND_URL": f"file://{folder}", "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)}


def _preview(chosen: auto.Stack, steps: list[Any]) -> None:
    def collect(event: Any) -> None:
        if event.resource_pre_event is not None:
            steps.append(event.resource_pre_event.metadata)

    try:
        chosen.preview(on_event=collect, color="never", suppress_progress=True)
    except auto.CommandError as error:
        raise pulumi_errors.error_of(str(error)) from None


def _settings(before: Settings, after: Settings) -> list[SettingChange]:
    known = {key: value for key, value in after.items() if key in before}  # newer releases add settings
    old, new = _flat(before), _flat(known)
    return [
        SettingChange(key=key, before=_display(key, old.get(key)), after=_display(key, new.get(key)))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _flat(value: Any, prefix: str = "") -> Settings:
    """Flatten settings to dotted keys; buckets go by name: removing one does not rename the others."""
    if isinstance(value, list):
        return {
            key: item
            for bucket in value
            for key, item in _flat_bucket(f"{prefix}.{bucket['name']}", bucket).items()
        }
    if not isinstance(value, dict):
        return {prefix: value}
    inner = [_flat(item, f"{prefix}.{key}" if prefix else str(key)) for key, item in value.items()]
    return {key: item for one in inner for key, item in one.items()}


def _flat_bucket(key: str, bucket: Settings) -> Settings:
    """Flatten a bucket to its location and its keys."""
    endpoint = bucket.get("endpoint")
    location = f"{endpoint} ({bucket['region']})" if endpoint else bucket.get("path") or "on this machine"
    keys = {f"{key}.{word}": bucket[word] for word in ("access_key", "secret_key") if bucket.get(word)}
    return {key: location, **keys}


def _display(key: str, value: Any) -> str:
    if value is None:
        return "none"
    return "(secret)" if any(word in key for word in SECRET_WORDS) else str(value)


def _change(step: Any, spec: WorkspaceSpec, keys: list[str], *, new: bool) -> ResourceChange:
    action = _action(step)
    part = step.urn.rsplit("::", 1)[-1].removeprefix(f"{spec.name}-")
    kind = step.type.rsplit(":", 1)[-1].lower()
    return ResourceChange(
        resource=step.urn.rsplit("::", 1)[-1],
        kind=kind,
        part=part,
        action=action,
        replaces=action == "replace",
        properties=sorted(_properties(step)),
        why=_label_changes(step) or _why(step, part, keys, new=new),
        data=_lost_labels(step) or data_effect(kind, part, action, spec.name),
        downtime="" if new else downtime_of(kind, part, action),
    )


def _properties(step: Any) -> set[str]:
    """Return the properties that differ, without the path inside them."""
    return {path.split(".")[0].split("[")[0] for path in step.diffs or []}


def _label_steps(step: Any) -> list[plan.Step]:
    """Return the steps of a project's labels; empty for any other resource and for a removed project."""
    if not step.type.endswith(":CvatProject") or step.new is None:
        return []
    old_labels = step.old.outputs.get("labels", {}) if step.old else {}
    new = step.new.inputs
    return plan.make_plan(old_labels, new["labels"], new["renamed"])


def _label_changes(step: Any) -> list[str]:
    """Describe why a project changes; empty for any other resource and for a removed project."""
    if not step.type.endswith(":CvatProject") or step.new is None:
        return []
    return [one.sentence for one in _label_steps(step)] or ["the URL of CVAT or its admin changes"]


def _lost_labels(step: Any) -> str:
    """Name the labels that are removed with their annotations; empty for none.

    The labels file must allow each of them, otherwise the preview fails before this.
    """
    if step.type.endswith(":CvatProject") and _action(step) == "delete":
        return "kept: the project and its annotations stay in CVAT"
    lost = [one.name for one in _label_steps(step) if one.action in plan.LOSES]
    return f"removed with the annotations that carry it: {', '.join(lost)}" if lost else ""


def _action(step: Any) -> str:
    """Return one of ``ACTIONS``, or empty: Pulumi announces a replacement in several steps, one counts."""
    op = str(getattr(step.op, "value", step.op))
    return _ACTION_OF_STEP.get(op, op)


def _is_frame(resource_type: str) -> bool:
    """Return whether the resource is the stack, a provider or a component, which exist only in the state."""
    return resource_type.startswith(("pulumi:", "labelspace:"))


def _why(step: Any, part: str, keys: list[str], *, new: bool) -> list[str]:
    if new:
        return ["new workspace"]
    reasons = [key for key in keys if affects(key, part)]
    if reasons:
        return reasons
    if set(step.diffs or []) <= {"labels"} and step.diffs:
        return ["depends on a container that changes"]
    if _properties(step) <= {"labels", "uploads"} and step.diffs:
        return ["its files changed: a renewed certificate, or a newer labelspace"]
    return ["differs from the last update: labelspace is newer, or somebody changed it by hand"]


def _untested(spec: WorkspaceSpec) -> list[str]:
    """Mark a version of CVAT that labelspace was not tested with."""
    line = line_of(spec.cvat_version)
    if line.tested:
        return []
    return [f"CVAT {spec.cvat_version} is untested: {MEANING[line.state]}; not known: {line.unknown}"]


def _notes(spec: WorkspaceSpec, changes: list[ResourceChange], keys: list[str], *, new: bool) -> list[str]:
    target = registry.get(spec.target)
    notes = [*target.preview_notes(spec, new=new), *_untested(spec)]
    if "cvat_version" in keys:
        notes.append(target.upgrade_note(spec))
    if any(change.data.startswith("removed with") for change in changes):
        notes.append("labels are removed with their annotations: take a backup first")
    elif any(change.data.startswith("AT RISK") for change in changes):
        notes.append("data is at risk: read the lines marked AT RISK, and take a backup first")
    elif not new:
        notes.append("no annotation, backup or bucket data is removed")
    return notes
