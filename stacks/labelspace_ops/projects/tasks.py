"""Tasks of a project, created from files of a bucket, which are not copied."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.core.reporting import message
from labelspace_ops.cvat.client import CvatClient, StillRunningError
from labelspace_ops.cvat.models import Request, Task

IMAGE_QUALITY = 70
IN_PROGRESS = ("queued", "started")
QUEUED_REPORT_SECONDS, REPORT_INTERVAL_SECONDS = 5, 60
"""When a task that CVAT has not started is reported first, and how often then."""


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
    """What `labelspace task create` did; ``left_out``: files by reason, ``assigned``: jobs by user name.

    ``unreadable``: the files among those left out that CVAT's user cannot read.
    """

    task: int
    name: str
    made: bool
    images: int
    jobs: int
    left_out: dict[str, int]
    unreadable: list[str]
    assigned: dict[str, int]


def ensure(cvat: CvatClient, project: int, spec: TaskSpec, timeout: float = math.inf) -> tuple[Task, bool]:
    """Return the task and whether it was created now; a complete task of that name stays as it is.

    An interrupted attempt is waited for, or replaced. Raises ``OpsError`` with CVAT's reason and leaves no
    task behind then. After ``timeout`` seconds it raises ``StillRunningError``, and CVAT continues.
    """
    for task in cvat.tasks(project, name=spec.name):
        if task.name == spec.name and _is_complete(cvat, task, timeout):
            return _existing(cvat, task.id, spec), False
    segments = {"segment_size": spec.segment_size} if spec.segment_size else {}
    body = {"name": spec.name, "project_id": project, "subset": spec.subset, **segments}
    number = cvat.post("/tasks", body)["id"]
    message(f"CVAT makes task {spec.name} of {len(spec.files)} files")
    try:
        _wait(cvat, cvat.post(f"/tasks/{number}/data", _data(spec.files))["rq_id"], spec.name, timeout)
    except StillRunningError:
        raise
    except OpsError:
        cvat.delete(f"/tasks/{number}")
        raise
    return cvat.task(number), True


def _wait(cvat: CvatClient, request: str, name: str, timeout: float) -> None:
    """Wait for the creation of a task, and report what it waits for while CVAT has not started it."""
    next_report = time.monotonic() + QUEUED_REPORT_SECONDS

    def report(row: Request) -> None:
        nonlocal next_report
        if row.status == "queued" and time.monotonic() >= next_report:
            next_report = time.monotonic() + REPORT_INTERVAL_SECONDS
            message(f"task {name}: CVAT has not started it yet: {_reason_for_queue(cvat, row)}")

    try:
        cvat.wait_for_request(request, timeout=timeout, on_poll=report)
    except StillRunningError:
        raise StillRunningError(
            f"task {name}: CVAT did not finish it within {timeout:.0f} s and continues: run the same command"
            " again to wait for it"
        ) from None


def _reason_for_queue(cvat: CvatClient, own: Request) -> str:
    earlier = [
        one
        for one in cvat.requests()
        if one.status in IN_PROGRESS and one.id != own.id and one.created_date <= own.created_date
    ]
    if not earlier:
        return (
            "no other request of the admin is before it: CVAT works for another user, or its import worker"
            " does not run (`labelspace status NAME`)"
        )
    return (
        f"before it are {', '.join(f'{one} ({one.status})' for one in earlier)}, and requests of other users"
    )


def _data(files: list[str]) -> dict[str, object]:
    return {
        "server_files": files,
        "image_quality": IMAGE_QUALITY,
        "sorting_method": "lexicographical",
        "use_cache": True,
        "copy_data": False,
    }


def _is_complete(cvat: CvatClient, task: Task, timeout: float) -> bool:
    """Wait for an attempt in progress; delete the task of a failed attempt and return False."""
    number = urlencode({"action": "create", "target": "task", "target_id": task.id})
    request = None if task.size else cvat.find_request(number)
    if request and request.status in IN_PROGRESS:
        message(f"task {task.name}: an earlier attempt is in progress: waiting for it")
        try:
            _wait(cvat, number, task.name, timeout)
        except StillRunningError:
            raise
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


def have_one_namespace(cvat: CvatClient, project: int) -> bool:
    """Return whether a path names the same image in every subset of a project: all tasks read the share.

    With one subset there is nothing to tell apart, and no task's frames, which may be many, are fetched.
    """
    tasks = [task for task in cvat.tasks(project) if task.size]
    if len({task.subset for task in tasks}) < 2:
        return True
    return all(cvat.data_meta(task.id).storage == "share" for task in tasks)
