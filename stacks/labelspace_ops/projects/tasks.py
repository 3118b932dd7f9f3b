"""Tasks of a project, created from files of a bucket, which are not copied."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.core.reporting import message
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.cvat.models import Task

IMAGE_QUALITY = 70
IN_PROGRESS = ("queued", "started")


@dataclass(frozen=True)
class TaskSpec:
    """A task; ``files`` are paths of the share (bucket/key) in their order."""

    name: str
    files: list[str]
    segment_size: int = 0
    """Frames in a job; 0: one job for all."""
    subset: str = ""
    """CVAT's subset, such as train or validation."""


class CreatedTask(JsonModel):
    """What `labelspace task create` did; ``left_out``: files by reason, ``assigned``: jobs by user name."""

    task: int
    name: str
    made: bool
    images: int
    jobs: int
    left_out: dict[str, int]
    assigned: dict[str, int]


def ensure(cvat: CvatClient, project: int, spec: TaskSpec) -> tuple[Task, bool]:
    """Return the task and whether it was created now; a complete task of that name stays as it is.

    An interrupted attempt is waited for, or replaced. Raises ``OpsError`` with CVAT's reason and leaves no
    task behind then.
    """
    for task in cvat.tasks(project, name=spec.name):
        if task.name == spec.name and _is_complete(cvat, task):
            return _existing(cvat, task.id, spec), False
    segments = {"segment_size": spec.segment_size} if spec.segment_size else {}
    body = {"name": spec.name, "project_id": project, "subset": spec.subset, **segments}
    number = cvat.post("/tasks", body)["id"]
    message(f"CVAT makes task {spec.name} of {len(spec.files)} files")
    try:
        cvat.wait_for_request(cvat.post(f"/tasks/{number}/data", _data(spec.files))["rq_id"])
    except OpsError:
        cvat.delete(f"/tasks/{number}")
        raise
    return cvat.task(number), True


def _data(files: list[str]) -> dict[str, object]:
    return {
        "server_files": files,
        "image_quality": IMAGE_QUALITY,
        "sorting_method": "lexicographical",
        "use_cache": True,
        "copy_data": False,
    }


def _is_complete(cvat: CvatClient, task: Task) -> bool:
    """Wait for an attempt in progress; delete the task of a failed attempt and return False."""
    number = urlencode({"action": "create", "target": "task", "target_id": task.id})
    request = None if task.size else cvat.find_request(number)
    if request and request.status in IN_PROGRESS:
        message(f"task {task.name}: an earlier attempt is in progress: waiting for it")
        try:
            cvat.wait_for_request(number)
        except OpsError as error:
            message(f"task {task.name}: the earlier attempt failed ({error}): it is created again")
    if cvat.task(task.id).size:
        return True
    cvat.delete(f"/tasks/{task.id}")
    return False


def _existing(cvat: CvatClient, number: int, spec: TaskSpec) -> Task:
    """Return the existing task; raises ``UsageError`` when it has other files."""
    present, expected = set(cvat.frame_names(number)), set(spec.files)
    if present != expected:
        raise UsageError(
            f"name: task {spec.name!r} exists with other files ({len(expected - present)} would be new,"
            f" {len(present - expected)} would go): CVAT cannot change its files: choose another name"
        )
    return cvat.task(number)


def all_read_share(cvat: CvatClient, project: int) -> bool:
    """Return whether every task of a project shows files of the share, so that a path names one image."""
    numbers = [task.id for task in cvat.tasks(project) if task.size]
    return all(cvat.data_meta(number).storage == "share" for number in numbers)
