"""Waiting for a background request of CVAT, and for a workspace that is woken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from labelspace_ops.core import reporting
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat import sleep
from labelspace_ops.cvat.client import CvatClient

OUTPUTS = {"api_url": "http://127.0.0.1:1", "sleep_after_minutes": 30}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def _client(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]) -> CvatClient:
    answers = iter(rows)

    def get(_self: CvatClient, path: str) -> dict[str, Any]:
        asked.append(path)
        return next(answers)

    asked: list[str] = []
    monkeypatch.setattr(CvatClient, "get", get)
    monkeypatch.setattr(CvatClient, "asked", asked, raising=False)
    return CvatClient("http://127.0.0.1:1", "admin", "secret")


def test_a_request_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    cvat = _client(monkeypatch, [{"status": "queued"}, {"status": "started"}, {"status": "finished"}])
    done = cvat.wait_for_request("action=create&target=task")
    assert done.status == "finished"
    assert getattr(cvat, "asked") == ["/requests/action%3Dcreate%26target%3Dtask"] * 3  # noqa: B009
    assert len(pauses) == 2


def test_a_failed_request_raises_the_last_line_of_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    cvat = _client(monkeypatch, [{"status": "failed", "message": "Traceback\nNo media data found"}])
    with pytest.raises(OpsError, match="CVAT: No media data found"):
        cvat.wait_for_request("1")


def _statuses(monkeypatch: pytest.MonkeyPatch, *statuses: str) -> list[str]:
    woken: list[str] = []
    answers: Iterator[str] = iter(statuses)

    def get(url: str, **_: Any) -> httpx.Response:
        if url.endswith("/wake"):
            woken.append(url)
            return httpx.Response(200)
        return httpx.Response(200, json={"status": next(answers)})

    monkeypatch.setattr(httpx, "get", get)
    return woken


def test_a_workspace_that_sleeps_is_woken_and_that_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    woken, events = _statuses(monkeypatch, "asleep", "waking", "awake"), list[reporting.Event]()
    with reporting.listening(events.append):
        sleep.wake("pets", OUTPUTS)
    assert woken == ["http://127.0.0.1:1/.labelspace/wake"]
    assert events == [reporting.Message("pets: it is asleep: waking it up")]


def test_a_workspace_that_is_awake_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = _statuses(monkeypatch, "awake")
    sleep.wake("pets", OUTPUTS)
    assert woken == []


def test_a_workspace_that_fails_to_wake_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _statuses(monkeypatch, "asleep", "failed")
    with pytest.raises(OpsError, match="pets: it did not become ready: see `labelspace status pets`"):
        sleep.wake("pets", OUTPUTS)


def test_a_workspace_that_stays_asleep_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _statuses(monkeypatch, "asleep", "waking", "waking")
    monkeypatch.setattr(sleep, "PATIENCE_SECONDS", 0)
    with pytest.raises(OpsError, match="pets: it is not ready after 0 minutes"):
        sleep.wake("pets", OUTPUTS)
