"""``wait_until``: its value, its time limit and its message."""

from __future__ import annotations

import time

import pytest

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.waiting import wait_until


def test_the_first_true_value_is_returned() -> None:
    values = iter([None, "", "ready", "later"])
    assert wait_until(lambda: next(values), timeout=60, interval=0, on_timeout="never") == "ready"


def test_the_condition_is_checked_once_without_time() -> None:
    assert wait_until(lambda: "ready", timeout=0, interval=1, on_timeout="never") == "ready"


def test_the_time_limit_raises_the_message() -> None:
    calls: list[int] = []
    with pytest.raises(OpsError, match="pets: not ready after 2 calls"):
        wait_until(
            lambda: calls.append(1),
            timeout=0.01,
            interval=1,
            on_timeout=lambda: f"pets: not ready after {len(calls)} calls",
        )
    assert len(calls) == 2


def test_an_error_of_the_condition_is_not_caught() -> None:
    def fail() -> bool:
        raise KeyError("pets")

    with pytest.raises(KeyError, match="pets"):
        wait_until(fail, timeout=60, interval=0, on_timeout="never")


def test_the_interval_grows_by_half_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    wait_until(lambda: len(pauses) == 4, timeout=60, interval=1, max_interval=2, on_timeout="never")
    assert pauses == [1, 1.5, 2, 2]


def test_the_interval_stays_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    wait_until(lambda: len(pauses) == 3, timeout=60, interval=1, on_timeout="never")
    assert pauses == [1, 1, 1]
