"""What an update reports of pods that do not start."""

from __future__ import annotations

import threading
from unittest.mock import Mock

import pytest

from labelspace_ops.core.reporting import Event, Message, listening
from labelspace_ops.runtime.base import RuntimeFailedError
from labelspace_ops.targets.kubernetes import watch


def test_each_pod_that_does_not_start_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.001)
    enough, events, runtime = threading.Event(), list[Event](), Mock()
    first, again, more = {"a": "a: first"}, {"a": "a: again"}, {"a": "a: more", "b": "b"}
    answers = iter([{}, RuntimeFailedError("no answer"), first, again, {}, again, more])

    def answer(_: object) -> object:
        found = next(answers, None)
        if found is None:
            enough.set()
            return {}
        if isinstance(found, Exception):
            raise found
        return found

    runtime.lasting_problems = answer
    with listening(events.append), watch.pods(runtime):
        assert enough.wait(10)
    assert events == [Message("a: first"), Message("b")]


def test_nothing_is_reported_after_the_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of the cluster may come when the command has ended already."""
    events, over, runtime = list[Event](), threading.Event(), Mock()
    monkeypatch.setattr(watch, "POLL_SECONDS", 0)

    def answer(_: object) -> object:
        over.set()
        return {"a": "a: late"}

    runtime.lasting_problems = answer
    with listening(events.append):
        watch._follow(runtime, over)
    assert events == []
