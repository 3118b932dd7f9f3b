"""The steps of a job, from its events."""

from __future__ import annotations

from labelspace_ops.console import job_steps
from labelspace_ops.core.reporting import ImagePull, Message, PullProgress, ReadinessStep, ResourceDone
from labelspace_ops.jobs.store import Entry, Job, State

ENTRIES = [
    Entry(12, Message("workspace street: making it")),
    Entry(20, ResourceDone(1, "network", "street-network", "made")),
    Entry(30, ResourceDone(2, "container", "street-ui", "made")),
    Entry(50, ReadinessStep("health", "waiting: health answers 502")),
    Entry(55, ResourceDone(3, "container", "street-migrate", "made")),
    Entry(70, ReadinessStep("health", "ok: every part of CVAT works")),
    Entry(71, ReadinessStep("admin", "ok: the admin is there (made)")),
]


def _job(state: State, ended: float | None) -> Job:
    return Job("street", "create", [], state, began=10, ended=ended, entries=ENTRIES)


def test_steps_last_until_the_next_one_begins() -> None:
    steps = job_steps.job_steps(_job("running", None))
    assert [step.state for step in steps] == ["done", "done", "done", "now", "later", "later"]
    assert [step.seconds for step in steps[:3]] == [10, 30, 21]
    assert steps[3].detail == "ok: the admin is there (made)"
    assert steps[4].seconds is None


def test_a_failure_stands_at_the_step_it_came_to() -> None:
    steps = job_steps.job_steps(_job("failed", 80))
    assert [step.state for step in steps] == ["done", "done", "done", "failed", "later", "later"]
    assert steps[3].seconds == 9


def test_a_job_that_is_done_leaves_no_step_open() -> None:
    assert {step.state for step in job_steps.job_steps(_job("done", 80))} == {"done"}


def test_the_first_step_shows_how_far_the_pulls_are() -> None:
    image = ImagePull("redis:7", "downloading", 1_000_000, 2_000_000, size_is_known=True)
    entries = [ENTRIES[0], Entry(15, PullProgress((image,), seconds_left=3))]
    steps = job_steps.job_steps(Job("street", "create", [], "running", began=10, ended=None, entries=entries))
    assert steps[0].state == "now"
    assert steps[0].detail == "images: 0 of 1 pulled, 1.0 of 2.0 MB, 3 s left: redis:7 1.0/2.0 MB"
