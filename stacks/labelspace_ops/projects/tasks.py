"""Tasks of a project, made from files of a bucket where they lie: nothing is copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.cvat.client import CvatClient

IMAGE_QUALITY = 70
UNDER_WAY = ("queued", "started")


@dataclass(frozen=True)
class TaskSpec:
    """A task: ``files`` are paths of the share (bucket/key) in their order."""

    name: str
    files: list[str]
    segment_size: int = 0
    """Frames in a job; 0: one job for all."""
    subset: str = ""
    """CVAT's word for what it is for, such as train or validation."""


def ensure(
    cvat: CvatClient, project: int, wish: TaskSpec, say: Callable[[str], None]
) -> tuple[dict[str, Any], bool]:
    """The task and whether it was made now; one of that name that is whole is left as it is.

    What an interrupted attempt left is waited for or made anew. Raises ``OpsError`` with CVAT's reason, and
    leaves no task behind then.
    """
    for task in cvat.list_all("/tasks", project_id=project, name=wish.name):
        if task["name"] == wish.name and _is_whole(cvat, task, say):
            return _kept(cvat, task["id"], wish), False
    body = {"name": wish.name, "project_id": project, "subset": wish.subset}
    if wish.segment_size:
        body["segment_size"] = wish.segment_size
    number = cvat.post("/tasks", body)["id"]
    say(f"CVAT makes task {wish.name} of {len(wish.files)} files")
    try:
        cvat.wait_for_request(cvat.post(f"/tasks/{number}/data", _data(wish.files))["rq_id"])
    except OpsError:
        cvat.delete(f"/tasks/{number}")
        raise
    return cvat.get(f"/tasks/{number}"), True


def _data(files: list[str]) -> dict[str, Any]:
    return {
        "server_files": files,
        "image_quality": IMAGE_QUALITY,
        "sorting_method": "lexicographical",
        "use_cache": True,
        "copy_data": False,
    }


def _is_whole(cvat: CvatClient, task: dict[str, Any], say: Callable[[str], None]) -> bool:
    """Waits for an attempt that is under way; removes what a failed one left."""
    request = urlencode({"action": "create", "target": "task", "target_id": task["id"]})
    found = None if task.get("size") else cvat.find(f"/requests/{quote(request, safe='')}")
    if found and found["status"] in UNDER_WAY:
        say(f"task {task['name']}: an earlier attempt is still under way: waiting for it")
        try:
            cvat.wait_for_request(request)
        except OpsError as error:
            say(f"task {task['name']}: the earlier attempt failed ({error}): made anew")
    now = cvat.get(f"/tasks/{task['id']}")
    if now.get("size"):
        return True
    cvat.delete(f"/tasks/{task['id']}")
    return False


def _kept(cvat: CvatClient, number: int, wish: TaskSpec) -> dict[str, Any]:
    """The task that is there; raises ``UsageError`` when it shows other files."""
    has, wanted = set(frames(cvat, number)), set(wish.files)
    if has != wanted:
        raise UsageError(
            f"name: task {wish.name!r} is there with other files ({len(wanted - has)} would be new,"
            f" {len(has - wanted)} are no longer wanted): CVAT cannot change its files: choose another name"
        )
    task: dict[str, Any] = cvat.get(f"/tasks/{number}")
    return task


def frames(cvat: CvatClient, number: int) -> list[str]:
    """The names of a task's frames, in order."""
    return [frame["name"] for frame in cvat.get(f"/tasks/{number}/data/meta")["frames"]]


def all_read_share(cvat: CvatClient, project: int) -> bool:
    """Whether every task of a project shows files of the share: a path then names one image."""
    numbers = [task["id"] for task in cvat.list_all("/tasks", project_id=project) if task.get("size")]
    return all(cvat.get(f"/tasks/{number}/data/meta")["storage"] == "share" for number in numbers)
