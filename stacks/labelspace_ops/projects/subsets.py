"""Images of a project as a CVAT subset: a task of those files, with what annotators said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.projects import tasks, track_interpolation

KINDS = ("tags", "shapes")
Rows = dict[str, list[dict[str, Any]]]


def write(cvat: CvatClient, project: int, subset: str, files: list[str]) -> dict[str, Any]:
    """Make the task, or take up an earlier attempt; returns ``task``, ``images``, ``annotations``, ``made``.

    A track becomes a shape on each of the images; ``left_out`` counts those that could not be told. The
    images stay in their own tasks too: `labelspace export --for-training` leaves them out there.
    """
    if not files:
        raise UsageError("write-subset: the balanced set is empty: see in the report what limits it")
    task, made = tasks.ensure(cvat, project, tasks.TaskSpec(subset, sorted(files), subset=subset))
    place = {name: frame for frame, name in enumerate(tasks.frames(cvat, task["id"]))}
    has = cvat.get(f"/tasks/{task['id']}/annotations")
    count, left_out = sum(len(has[kind]) for kind in KINDS), 0
    if not count:
        copied, left_out = _gathered(cvat, project, task["id"], place)
        count = sum(len(rows) for rows in copied.values())
        cvat.patch(
            f"/tasks/{task['id']}/annotations", {"version": 0, "tracks": [], **copied}, action="create"
        )
    return {"task": task["id"], "subset": subset, "images": len(place), "annotations": count,
            "left_out": left_out, "made": made}  # fmt: skip


def _gathered(cvat: CvatClient, project: int, own: int, place: dict[str, int]) -> tuple[Rows, int]:
    """The annotations of each image, from the first task in the order of an export that gives it a class."""
    missing, left_out = dict(place), 0
    found: Rows = {kind: [] for kind in KINDS}
    audit = {row["id"] for row in cvat.list_all("/labels", project_id=project) if row["name"] == AUDIT_LABEL}
    every = sorted(cvat.list_all("/tasks", project_id=project), key=lambda one: (one["subset"], one["id"]))
    for number in [one["id"] for one in every if one["id"] != own and one.get("size")]:
        names = dict(enumerate(tasks.frames(cvat, number)))
        wanted = {frame for frame, name in names.items() if name in missing}
        said, unknown = _said(cvat, number, wanted) if wanted else ({}, [])
        rows = [*(row for kind in KINDS for row in said.get(kind, [])), *unknown]
        classed = {row["frame"] for row in rows if row["label_id"] not in audit} & wanted
        here = {frame: missing.pop(names[frame]) for frame in sorted(classed) if names[frame] in missing}
        left_out += sum(row["frame"] in here for row in unknown)
        for kind in KINDS:
            found[kind] += _moved(said.get(kind, []), here)
    return found, left_out


def _said(cvat: CvatClient, number: int, frames: set[int]) -> tuple[Rows, list[dict[str, Any]]]:
    """The tags and shapes of a task, tracks among them, and shapes of which the points are unknown."""
    said = cvat.get(f"/tasks/{number}/annotations")
    shown, unknown = track_interpolation.interpolate(said.get("tracks", []), frames)
    return {"tags": said["tags"], "shapes": [*said["shapes"], *shown]}, unknown


def _moved(rows: list[dict[str, Any]], here: dict[int, int]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["frame"] in here:
            yield _copy(row, here[row["frame"]])


def _copy(row: dict[str, Any], frame: int) -> dict[str, Any]:
    """Without ids, which the copy gets of its own; only a skeleton may name its elements."""
    plain = {key: value for key, value in row.items() if key not in ("id", "elements", "job_id")}
    elements = [_copy(one, frame) for one in row.get("elements", [])]
    return {**plain, "frame": frame, **({"elements": elements} if elements else {})}


def list_subsets(cvat: CvatClient, project: int) -> frozenset[str]:
    """The subsets that ``write`` made: their one task has the subset's name."""
    rows = list(cvat.list_all("/tasks", project_id=project))
    return frozenset(row["subset"] for row in rows if row["subset"] and row["name"] == row["subset"])


def subset_images(cvat: CvatClient, project: int, subset: str) -> set[str]:
    """The images of a subset."""
    rows = cvat.list_all("/tasks", project_id=project, subset=subset)
    return {name for task in rows if task.get("size") for name in tasks.frames(cvat, task["id"])}


def frames_by_subset(cvat: CvatClient, project: int) -> Counter[str]:
    """Frames by subset."""
    counts: Counter[str] = Counter()
    for task in cvat.list_all("/tasks", project_id=project):
        counts[task["subset"]] += task.get("size") or 0
    return counts
