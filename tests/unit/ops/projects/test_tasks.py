"""Creation of a task while CVAT's queue is busy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from labelspace_ops.core import reporting
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat.client import CvatClient, StillRunningError
from labelspace_ops.projects import tasks

OWN = "action=create&target=task&target_id=9"
SPEC = tasks.TaskSpec("night", ["street/1.jpg"])


class Server(CvatClient):
    """A project in which task 9 is created; its request has the given statuses in turn."""

    def __init__(self, *statuses: str, others: tuple[dict[str, Any], ...] = ()) -> None:
        self.statuses, self.others = list(statuses), others
        self.existing: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def _own(self) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"id": OWN, "status": status, "created_date": "2026-01-01T00:05:00Z", "message": "no media"}

    def get(self, path: str, **_query: Any) -> Any:
        return self._own() if path.startswith("/requests/") else {"id": 9, "name": "night", "size": 1}

    def find(self, path: str) -> Any:
        return self.get(path)

    def list_all(self, path: str, **_query: Any) -> Iterator[Any]:
        return iter(self.existing if path == "/tasks" else [*self.others, self._own()])

    def post(self, path: str, body: Any, **_query: Any) -> Any:
        return {"id": 9, "rq_id": OWN}

    def delete(self, path: str) -> None:
        self.deleted.append(path)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only while the code sleeps."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


def _messages(server: Server, timeout: float = 600) -> list[str]:
    events: list[reporting.Event] = []
    with reporting.listening(events.append):
        tasks.ensure(server, 3, SPEC, timeout)
    return [event.text for event in events if isinstance(event, reporting.Message)]


def _request(number: int, minute: int, status: str = "started") -> dict[str, Any]:
    operation = {"type": "create:task", "target": "task", "task_id": number}
    created = f"2026-01-01T00:0{minute}:00Z"
    return {"id": str(number), "status": status, "operation": operation, "created_date": created}


def test_a_task_that_is_created_at_once_is_not_reported_as_queued() -> None:
    assert _messages(Server("queued", "started", "finished")) == ["CVAT makes task night of 1 files"]


def test_a_queued_task_names_the_requests_before_it() -> None:
    others = (_request(7, 1), _request(8, 4, "queued"), _request(6, 0, "finished"), _request(10, 6))
    server = Server(*["queued"] * 30, "started", "finished", others=others)
    assert _messages(server)[1:] == [
        "task night: CVAT has not started it yet: before it are create:task 7 (started),"
        " create:task 8 (queued), and requests of other users"
    ]


def test_a_task_behind_no_known_request_points_to_the_worker() -> None:
    [text] = _messages(Server(*["queued"] * 30, "finished"))[1:]
    assert "another user, or its import worker does not run" in text


def test_after_the_time_limit_the_task_stays_and_cvat_continues() -> None:
    server = Server("queued")
    with pytest.raises(
        StillRunningError, match="task night: CVAT did not finish it within 30 s and continues"
    ):
        tasks.ensure(server, 3, SPEC, 30)
    assert server.deleted == []


def test_a_second_run_waits_for_the_first_ones_request_and_keeps_the_time_limit() -> None:
    server = Server("queued")
    server.existing = [{"id": 9, "name": "night"}]
    with pytest.raises(StillRunningError):
        tasks.ensure(server, 3, SPEC, 30)
    assert server.deleted == []


def test_a_failed_task_is_deleted() -> None:
    server = Server("queued", "failed")
    with pytest.raises(OpsError, match="CVAT: no media"):
        tasks.ensure(server, 3, SPEC)
    assert server.deleted == ["/tasks/9"]
