"""Conditions that are computed from boxes, image sizes and paths instead of annotated."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import pictures
from labelspace_ops.audit.dataset import CLASS_FOLDERS, Dataset, Job, Rows
from labelspace_ops.audit.vocabulary import MISSING, Column, smallest

SMALL, LARGE = 32.0**2, 96.0**2
"""The limits between small, medium and large objects in square pixels, as in COCO's evaluation."""
MOST_FOLDERS = 50
ROWS_AT_A_TIME = 2**17
SAME = {"folder": ("subset", "task"), "job": ("task",)}
"""Conditions that are left out where they divide the items like one of these: a folder per subset."""
NAMES = (
    "object size", "object shape", "position across", "position down", "touches the edge", "occluded",
    "objects in the image", "image size", "image shape", "folder", "subset", "task", "job", "annotator",
    *pictures.NAMES,
)  # fmt: skip


def columns(dataset: Dataset, rows: Rows, level: str) -> dict[str, Column]:
    """The conditions with at least two values among the items; those of objects only at object level."""
    found = {**(_of_objects(dataset, rows) if level == "object" else {}), **_of_images(dataset, rows)}
    if dataset.pictures is not None:
        found |= _of_pictures(dataset.pictures, dataset.image[rows])
    return {name: column for name, column in found.items() if _varies(column)}


def _varies(column: Column) -> bool:
    return len(np.unique(column.codes[column.codes != MISSING])) > 1


def _of_objects(dataset: Dataset, rows: Rows) -> dict[str, Column]:
    """The conditions of objects. Some rows are computed at a time, because the numbers take much memory."""
    crowd = np.bincount(dataset.image[rows], minlength=len(dataset.images))
    starts = range(0, max(len(rows), 1), ROWS_AT_A_TIME)
    parts = [_of_some_objects(dataset, rows[start : start + ROWS_AT_A_TIME], crowd) for start in starts]
    return {
        name: Column(np.concatenate([part[name].codes for part in parts]), column.values)
        for name, column in parts[0].items()
    }


def _of_some_objects(dataset: Dataset, rows: Rows, crowd: Rows) -> dict[str, Column]:
    """The conditions of some objects; ``crowd`` is the number of objects in each image."""
    image = dataset.image[rows]
    x, y, width, height = dataset.box[rows].T.astype(np.float64)
    wide, high = dataset.sizes[image].T.astype(np.float64)
    wide, high = np.where(wide > 0, wide, np.nan), np.where(high > 0, high, np.nan)
    at_edge = (x <= 1) | (y <= 1) | (x + width >= wide - 1) | (y + height >= high - 1)
    edge = np.where(np.isnan(x) | np.isnan(wide), np.nan, at_edge.astype(np.float64))
    occluded = np.where(dataset.occluded[rows] < 0, np.nan, dataset.occluded[rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect = np.where(height > 0, width / height, np.nan)
    return {
        "object size": _cut(width * height, [SMALL, LARGE], ["small", "medium", "large"]),
        "object shape": _cut(aspect, [0.67, 1.5], ["tall", "square", "wide"]),
        "position across": _cut((x + width / 2) / wide, [1 / 3, 2 / 3], ["left", "centre", "right"]),
        "position down": _cut((y + height / 2) / high, [1 / 3, 2 / 3], ["top", "middle", "bottom"]),
        "touches the edge": _cut(edge, [0.5], ["no", "yes"]),
        "occluded": _cut(occluded, [0.5], ["no", "yes"]),
        "objects in the image": _cut(
            crowd[image].astype(float), [2, 6, 16], ["1", "2 to 5", "6 to 15", "over 15"]
        ),
    }  # fmt: skip


def _of_images(dataset: Dataset, rows: Rows) -> dict[str, Column]:
    image = dataset.image[rows]
    wide, high = dataset.sizes.T.astype(np.float64)
    pixels = np.where(wide * high > 0, wide * high, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect = np.where(high > 0, wide / high, np.nan)
    found = {
        "image size": _cut(pixels, [0.5e6, 2e6], ["under 0.5 MP", "0.5 to 2 MP", "2 MP and more"], image),
        "image shape": _cut(aspect, [0.95, 1.05], ["portrait", "square", "landscape"], image),
        "subset": _named(dataset.subsets, image),
        "folder": _named([name.rpartition("/")[0] for name in dataset.images], image),
    }
    if dataset.source == CLASS_FOLDERS:
        del found["folder"]  # it is the class
    found |= {name: _named(values, image) for name, values in _of_jobs(dataset).items()}
    for name, others in SAME.items():
        if any(_divide_alike(found[name], found[other]) for other in others if name in found):
            del found[name]
    return {name: column for name, column in found.items() if len(column.values) <= MOST_FOLDERS}


def _divide_alike(one: Column, two: Column) -> bool:
    pairs = (one.codes.astype(np.int64) + 1) * (len(two.values) + 1) + two.codes + 1
    groups = len(np.unique(pairs))
    return groups > 1 and groups == len(np.unique(one.codes)) == len(np.unique(two.codes))


def _of_jobs(dataset: Dataset) -> dict[str, list[str]]:
    """The task, job and annotator of each image; empty where the export does not name them."""
    by_task: dict[str, list[Job]] = defaultdict(list)
    for job in sorted(dataset.jobs, key=lambda one: one.first):
        by_task[job.task].append(job)
    if len(by_task) == 1:
        by_task[""] = next(iter(by_task.values()))
    places = zip(dataset.task, dataset.frame, strict=True)
    jobs = [_job(by_task.get(task, []), int(frame)) for task, frame in places]
    named = Counter({job.task: job.task_name for job in dataset.jobs}.values())
    return {
        "task": [_task_name(job, task, named) for job, task in zip(jobs, dataset.task, strict=True)],
        "job": [f"job {job.name}" if job else "" for job in jobs],
        "annotator": [job.annotator if job else "" for job in jobs],
    }


def _job(jobs: list[Job], frame: int) -> Job | None:
    """The job of a frame among the jobs of its task, which are sorted by their first frame."""
    place = bisect_right(jobs, frame, key=lambda job: job.first) - 1
    return jobs[place] if place >= 0 and frame <= jobs[place].last else None


def _task_name(job: Job | None, task: str, named: Counter[str]) -> str:
    """The name of a task, with its number if several tasks have that name."""
    if job is None or not job.task_name:
        return f"task {task}" if task else ""
    return job.task_name if named[job.task_name] == 1 else f"{job.task_name} ({job.task})"


def _of_pictures(measured: NDArray[np.float64], image: Rows) -> dict[str, Column]:
    """The conditions from brightness, saturation and hour of each item's image."""
    scales = (pictures.BRIGHTNESS, pictures.COLOUR, pictures.HOURS)
    return {
        name: _cut(numbers, list(edges), list(names), image)
        for name, numbers, (edges, names) in zip(pictures.NAMES, measured.T, scales, strict=True)
    }


def _cut(
    numbers: NDArray[np.float64], edges: list[float], names: list[str], image: Rows | None = None
) -> Column:
    """The bin of each number; with ``image``, the numbers are of images, and each row has its image's bin."""
    place = np.searchsorted(edges, numbers, side="right")
    unique = list(dict.fromkeys(names))  # the night is before the morning and after the evening
    of_bin = np.array([unique.index(name) for name in names] + [MISSING])
    codes = np.where(np.isnan(numbers), MISSING, of_bin[np.minimum(place, len(names) - 1)])
    small = codes.astype(smallest(len(unique)))
    return Column(small if image is None else small[image], unique)


def _named(names: list[str], image: Rows) -> Column:
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    if len(numbers) > MOST_FOLDERS:
        return Column(np.full(len(image), MISSING, dtype=np.int8), [])
    return Column(codes.astype(smallest(len(numbers)))[image], [name or "(none)" for name in numbers])
