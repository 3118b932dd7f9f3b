"""The labels of a workspace alone: what an update would do, and that update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labelspace.home import Home
from labelspace_ops import locks, program, stack
from labelspace_ops.cvat import Cvat, project_named
from labelspace_ops.errors import UsageError
from labelspace_ops.labels import file, plan, project, shape
from labelspace_ops.labels.model import LabelsFile, Project

TYPE = "pulumi-python:dynamic/labelspace:CvatProject"


def needed(workspace: str) -> LabelsFile:
    """The labels file of a workspace; raises ``UsageError`` when there is none, or no project in it."""
    found = file.of(workspace)
    if not found.projects:
        raise UsageError(
            f"labels: no project in {file.path_of(workspace)}: write one (stacks/labels/example.yaml shows"
            f" how), or `labelspace labels pull {workspace}` for what CVAT has"
        )
    return found


def preview(cvat: Cvat, wish: LabelsFile) -> dict[str, list[str]]:
    """A sentence for each change, by project; raises ``UsageError`` for a loss that nobody asked for."""
    return {one.name: _sentences(cvat, one) for one in wish.projects}


def _sentences(cvat: Cvat, wish: Project) -> list[str]:
    found, labels = project_named(cvat, wish.name), shape.wished(wish)
    if found is None:
        return [f"project {wish.name}: new", *(step.sentence for step in plan.steps({}, labels, {}))]
    rows = project.rows_of(cvat, found["id"])
    todo = plan.steps(shape.live(rows), labels, shape.renamed(wish))
    refused = project.lost(cvat, found["id"], todo, wish.drop, rows)
    if refused:
        raise UsageError(f"{wish.name}: {project.refusal(refused)}")
    return [step.sentence for step in todo]


def update(workspace: str, home: Home, on_event: Callable[[Any], None]) -> None:
    """Bring the projects, and nothing else of the stack, to the labels file."""
    chosen = stack.select(workspace, home)
    with locks.hold(home, workspace, "creating"):
        locks.clear_stale(home, chosen)
        stack.update(chosen, program.run, on_event, only=f"urn:pulumi:{workspace}::labelspace::{TYPE}::*")
