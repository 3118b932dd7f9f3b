"""A job's lines, told as steps."""

from __future__ import annotations

from labelspace_ops.console import job_steps
from labelspace_ops.jobs.runner import Job, Line, State

LINES = [
    Line(12, "workspace street: making it"),
    Line(20, "[ 1] network street-network: made"),
    Line(30, "[ 2] container street-ui: made"),
    Line(50, "readiness: health: waiting: health answers 502"),
    Line(55, "[ 3] container street-migrate: made"),
    Line(70, "readiness: health: ok: every part of CVAT works"),
    Line(71, "readiness: admin: ok: the admin is there (made)"),
]


def _job(state: State, ended: float | None) -> Job:
    return Job("street", "create", [], state, began=10, ended=ended, lines=LINES)


def test_steps_last_until_the_next_one_begins() -> None:
    told = job_steps.job_steps(_job("running", None))
    assert [step.state for step in told] == ["done", "done", "done", "now", "later", "later"]
    assert [step.seconds for step in told[:3]] == [10, 30, 21]
    assert told[3].detail == "ok: the admin is there (made)"
    assert told[4].seconds is None


def test_a_failure_stands_at_the_step_it_came_to() -> None:
    told = job_steps.job_steps(_job("failed", 80))
    assert [step.state for step in told] == ["done", "done", "done", "failed", "later", "later"]
    assert told[3].seconds == 9


def test_a_job_that_is_done_leaves_no_step_open() -> None:
    assert {step.state for step in job_steps.job_steps(_job("done", 80))} == {"done"}
