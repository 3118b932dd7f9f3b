"""CVAT subsets that are copies: a task of images of the project, with their annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.cvat.models import Shape, Tag
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.projects import tasks, track_interpolation


@dataclass(frozen=True)
class WrittenSubset:
    """A subset with its task and numbers; ``created`` is False for one that was there already."""

    task: int
    images: int
    annotations: int
    left_out: int
    """Shapes of tracks that are not copied, as only CVAT can compute their points."""
    created: bool


@dataclass
class _Copies:
    """Bodies of the copied annotations, and the number of shapes that were left out."""

    tags: list[dict[str, object]] = field(default_factory=list)
    shapes: list[dict[str, object]] = field(default_factory=list)
    left_out: int = 0


def write(cvat: CvatClient, project: int, subset: str, files: list[str]) -> WrittenSubset:
    """Create the subset's task, or complete an earlier attempt. Each track becomes a shape on each image.

    The images stay in their own tasks too: `labelspace export --for-training` leaves them out there. Raises
    ``UsageError`` without files.
    """
    if not files:
        raise UsageError("write-subset: the balanced set is empty: see in the report what limits it")
    task, created = tasks.ensure(cvat, project, tasks.TaskSpec(subset, sorted(files), subset=subset))
    frame_of = {name: frame for frame, name in enumerate(cvat.frame_names(task.id))}
    present = cvat.annotations(task.id)
    count, copies = len(present.tags) + len(present.shapes), _Copies()
    if not count:
        copies = _collect(cvat, project, task.id, frame_of)
        body = {"version": 0, "tags": copies.tags, "shapes": copies.shapes, "tracks": []}
        count = len(copies.tags) + len(copies.shapes)
        cvat.patch(f"/tasks/{task.id}/annotations", body, action="create")
    return WrittenSubset(task.id, len(frame_of), count, copies.left_out, created)


def _collect(cvat: CvatClient, project: int, own: int, frame_of: dict[str, int]) -> _Copies:
    """Copy each image's annotations from the first task (in the order of an export) that classifies it."""
    missing, copies = dict(frame_of), _Copies()
    audit = {label.id for label in cvat.labels(project) if label.name == AUDIT_LABEL}
    others = [task for task in cvat.tasks(project) if task.id != own and task.size]
    for task in sorted(others, key=lambda one: (one.subset, one.id)):
        names = cvat.frame_names(task.id)
        frames = {frame for frame, name in enumerate(names) if name in missing}
        tags, shapes, unknown = _annotations(cvat, task.id, frames)
        classified = {one.frame for one in (*tags, *shapes, *unknown) if one.label_id not in audit} & frames
        moves = {frame: missing.pop(names[frame]) for frame in sorted(classified) if names[frame] in missing}
        copies.left_out += sum(one.frame in moves for one in unknown)
        copies.tags += _moved(tags, moves)
        copies.shapes += _moved(shapes, moves)
    return copies


def _annotations(cvat: CvatClient, task: int, frames: set[int]) -> tuple[list[Tag], list[Shape], list[Shape]]:
    """Return a task's tags, its shapes (those of tracks too), and shapes whose points are unknown."""
    if not frames:
        return [], [], []
    found = cvat.annotations(task)
    shapes, unknown = track_interpolation.interpolate(found.tracks, frames)
    return found.tags, [*found.shapes, *shapes], unknown


def _moved(annotations: list[Tag] | list[Shape], moves: dict[int, int]) -> Iterator[dict[str, object]]:
    yield from (one.moved_to(moves[one.frame]) for one in annotations if one.frame in moves)


def list_subsets(cvat: CvatClient, project: int) -> frozenset[str]:
    """Return the subsets that ``write`` created: those with a task of the subset's name."""
    return frozenset(task.subset for task in cvat.tasks(project) if task.subset and task.name == task.subset)


def subset_images(cvat: CvatClient, project: int, subset: str) -> set[str]:
    """Return the names of a subset's images."""
    tasks_ = [task for task in cvat.tasks(project, subset=subset) if task.size]
    return {name for task in tasks_ for name in cvat.frame_names(task.id)}


def frames_by_subset(cvat: CvatClient, project: int) -> Counter[str]:
    """Return the number of frames by subset."""
    counts: Counter[str] = Counter()
    for task in cvat.tasks(project):
        counts[task.subset] += task.size
    return counts
