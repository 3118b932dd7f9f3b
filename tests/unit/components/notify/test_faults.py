"""When somebody is reported of a fault: once when it begins, once when it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def faults(modules: Any) -> Any:
    return modules("faults")


def _reported(watch: Any, now: float) -> list[tuple[str, str]]:
    """What is reported now, and taken by the webhook."""
    notices = watch.due(now)
    for notice in notices:
        watch.delivered(notice)
    return [(notice.event, notice.key) for notice in notices]


def test_a_fault_is_reported_once_when_it_begins_and_once_when_it_ends(faults: Any) -> None:
    watch, drill = faults.Tracker(), faults.Fault("drill", "the drill failed")
    reported = []
    for now, found in enumerate([[], [drill], [drill], [drill], [], []]):
        watch.update({"backups": found}, now)
        reported.append(_reported(watch, now))
    assert reported == [[], [("begins", "drill")], [], [], [("ends", "drill")], []]
    assert watch.records == {}


def test_a_part_is_reported_only_after_its_minutes(faults: Any) -> None:
    watch, part = faults.Tracker(), faults.Fault("part server", "it does not answer", 300)
    for now in (0, 299):
        watch.update({"parts": [part]}, now)
        assert _reported(watch, now) == []
    watch.update({"parts": [part]}, 300)
    assert _reported(watch, 300) == [("begins", "part server")]


def test_a_short_fault_is_never_reported(faults: Any) -> None:
    watch, part = faults.Tracker(), faults.Fault("part server", "it does not answer", 300)
    watch.update({"parts": [part]}, 0)
    watch.update({"parts": []}, 200)
    watch.update({"parts": [part]}, 400)
    assert _reported(watch, 600) == []


def test_what_the_webhook_did_not_take_is_due_again(faults: Any) -> None:
    watch, full = faults.Tracker(), faults.Fault("disk files", "it is full")
    watch.update({"disks": [full]}, 0)
    assert [notice.event for notice in watch.due(0)] == ["begins"]
    assert [notice.event for notice in watch.due(60)] == ["begins"]
    assert _reported(watch, 120) == [("begins", "disk files")]
    watch.update({"disks": []}, 180)
    assert [notice.at for notice in watch.due(999)] == [180]
    assert _reported(watch, 999) == [("ends", "disk files")]
    assert _reported(watch, 1000) == []


def test_a_fault_that_comes_back_before_its_end_was_reported_goes_on(faults: Any) -> None:
    watch, full = faults.Tracker(), faults.Fault("disk files", "it is full")
    watch.update({"disks": [full]}, 0)
    assert _reported(watch, 0) == [("begins", "disk files")]
    watch.update({"disks": []}, 60)
    watch.update({"disks": [full]}, 120)
    assert _reported(watch, 120) == []


def test_what_cannot_be_measured_has_not_ended(faults: Any) -> None:
    watch, drill = faults.Tracker(), faults.Fault("drill", "the drill failed")
    watch.update({"backups": [drill]}, 0)
    _reported(watch, 0)
    watch.update({"backups": None, "parts": []}, 60)
    assert _reported(watch, 60) == []
    assert list(watch.records) == ["drill"]


def test_what_was_reported_outlives_a_restart(faults: Any, tmp_path: Path) -> None:
    watch, drill = faults.Tracker(), faults.Fault("drill", "the drill failed")
    watch.update({"backups": [drill]}, 5)
    _reported(watch, 5)
    watch.save(tmp_path / "faults.json")
    again = faults.load(tmp_path / "faults.json")
    assert again.records == watch.records
    assert faults.load(tmp_path / "none.json").records == {}
