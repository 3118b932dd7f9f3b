"""The labels of a workspace alone: what an update would do, and that update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelspace.home import Home
from labelspace_ops.core import locks
from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient, find_project
from labelspace_ops.labels import labels_file, normalized, plan, program, project
from labelspace_ops.labels.model import LabelsFile, Project
from labelspace_ops.stack import automation as stack
from labelspace_ops.stack import backend

TYPE = "pulumi-python:dynamic/labelspace:CvatProject"


def require_file(workspace: str) -> LabelsFile:
    """The labels file of a workspace; raises ``UsageError`` when there is none, or no project in it."""
    found = labels_file.load(workspace)
    if not found.projects:
        raise UsageError(
            f"labels: no project in {labels_file.path_for(workspace)}: write one"
            f" (stacks/labels/example.yaml shows how), or `labelspace labels pull {workspace}`"
            " for what CVAT has"
        )
    return found


def preview(cvat: CvatClient, wish: LabelsFile) -> dict[str, list[str]]:
    """A sentence for each change, by project; raises ``UsageError`` for a loss that nobody asked for."""
    return {one.name: _sentences(cvat, one) for one in wish.projects}


def _sentences(cvat: CvatClient, wish: Project) -> list[str]:
    found, labels = find_project(cvat, wish.name), normalized.desired(wish)
    if found is None:
        return [f"project {wish.name}: new", *(step.sentence for step in plan.make_plan({}, labels, {}))]
    rows = project.label_rows(cvat, found["id"])
    todo = plan.make_plan(normalized.current(rows), labels, normalized.renamed(wish))
    refused = project.unconfirmed_losses(cvat, found["id"], todo, wish.allow_delete, rows)
    if refused:
        raise UsageError(f"{wish.name}: {project.refusal(refused)}")
    return [step.sentence for step in todo]


def update(workspace: str, home: Home, on_event: Callable[[Any], None]) -> None:
    """Bring the projects, and nothing else of the stack, to the labels file."""
    chosen = stack.select(workspace, home)
    with locks.hold(home, workspace, "creating"):
        locks.clear_stale(backend.state_folder(home), chosen)
        stack.update(chosen, program.run, on_event, only=f"urn:pulumi:{workspace}::labelspace::{TYPE}::*")
