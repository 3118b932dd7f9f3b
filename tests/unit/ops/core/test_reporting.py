"""Events: each survives the way through a journal, and reaches every listener."""

from __future__ import annotations

import json

import pytest

from labelspace_ops.core import reporting
from labelspace_ops.core.reporting import (
    Event,
    Failed,
    ImagePull,
    Message,
    PullProgress,
    ReadinessStep,
    ResourceDone,
)

EVENTS = [
    Message("a line"),
    ResourceDone(3, "container", "street-ui", "made"),
    ReadinessStep("health", "ok"),
    PullProgress((ImagePull("redis:7", "downloading", 1, 2, size_is_known=True),), seconds_left=3),
    Failed("name: missing"),
]


def test_every_kind_is_covered() -> None:
    assert {type(event) for event in EVENTS} == set(reporting.KINDS.values())


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_survives_json(event: Event) -> None:
    assert reporting.from_record(json.loads(json.dumps(reporting.to_record(event)))) == event


def test_a_listener_hears_only_while_it_listens() -> None:
    heard: list[Event] = []
    with reporting.listening(heard.append):
        reporting.message("first")
    reporting.message("second")
    assert heard == [Message("first")]
