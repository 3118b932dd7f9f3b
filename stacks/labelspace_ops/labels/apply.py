"""Preview and update the labels of a workspace, and nothing else of its stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat import client as cvat_client
from labelspace_ops.cvat.client import CvatClient, find_project
from labelspace_ops.labels import labels_file, normalized, plan, program, project
from labelspace_ops.labels.model import LabelsFile, Project
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend, declared

TYPE = "pulumi-python:dynamic/labelspace:CvatProject"


def require_file(workspace: str) -> LabelsFile:
    """Return the labels file of a workspace; raises ``UsageError`` when it is missing or has no project."""
    found = labels_file.load(workspace)
    if not found.projects:
        raise UsageError(
            f"labels: no project in {labels_file.path_for(workspace)}: write one"
            f" (stacks/labels/example.yaml shows how), or `labelspace labels pull {workspace}`"
            " for what CVAT has"
        )
    return found


def preview(cvat: CvatClient, file: LabelsFile) -> dict[str, list[str]]:
    """Return a sentence for each change, by project; raises ``UsageError`` for an unconfirmed loss."""
    return {one.name: _sentences(cvat, one) for one in file.projects}


def _sentences(cvat: CvatClient, target: Project) -> list[str]:
    found, labels = find_project(cvat, target.name), normalized.desired(target)
    if found is None:
        return [f"project {target.name}: new", *(step.sentence for step in plan.make_plan({}, labels, {}))]
    rows = cvat.labels(found.id)
    steps = plan.make_plan(normalized.current(rows), labels, normalized.renamed(target))
    refused = project.unconfirmed_losses(cvat, found.id, steps, target.allow_delete, rows)
    if refused:
        raise UsageError(f"{target.name}: {project.refusal(refused)}")
    return [step.sentence for step in steps]


def update(workspace: str, home: Home, on_event: Callable[[Any], None]) -> None:
    """Update the stack's projects to the labels file; with ``--stack``, CVAT's, which no stack has."""
    if declared.current():
        _update_directly(cvat_client.connect(workspace, home), labels_file.load(workspace))
        return
    chosen = stack.select(workspace, home)
    with locks.hold(home, workspace, "creating"):
        locks.clear_stale(backend.state_folder(home), chosen)
        stack.update(chosen, program.run, on_event, only=f"urn:pulumi:{workspace}::labelspace::{TYPE}::*")


def _update_directly(cvat: CvatClient, file: LabelsFile) -> None:
    for one in file.projects:
        found, target = find_project(cvat, one.name), normalized.desired(one)
        if found is None:
            project.create(cvat, one.name, target)
        else:
            project.apply(cvat, found.id, target, normalized.renamed(one), one.allow_delete)
