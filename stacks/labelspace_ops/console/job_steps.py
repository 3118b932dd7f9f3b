"""The steps of a job with their times, computed from its events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from labelspace_ops.core.reporting import PullProgress, ReadinessStep, ResourceDone, pull_summary
from labelspace_ops.jobs.store import Entry, Job

TITLES = {
    "create": ("Check settings and this machine, pull images", "Create the parts"),
    "start": ("Check this machine, pull images", "Start the parts"),
    "stop": ("Take a last backup", "Stop the parts"),
    "delete": ("Take a last backup", "Remove the parts"),
    "restore": ("Back up the current state and restore", "Start the parts"),
    "backup": ("Take the backup",),
    "drill": ("Restore it to a scratch database and compare",),
}
READINESS = {
    "health": "Wait for every part of CVAT",
    "admin": "Create the admin",
    "login": "Sign in as the admin",
    "workers": "Check that every queue has a worker",
}
"""Titles of the readiness check's steps, in their order."""
WITH_READINESS = ("create", "start", "restore")


@dataclass
class Step:
    """One step; ``seconds``: its duration, None before it began."""

    title: str
    state: Literal["later", "now", "done", "failed"] = "later"
    detail: str = ""
    seconds: float | None = None


def job_steps(job: Job) -> list[Step]:
    """Return the steps of a job; each lasts until the first event of the next."""
    gates = READINESS if job.verb in WITH_READINESS else {}
    steps = [Step(title) for title in (*TITLES.get(job.verb, ("Prepare", "Run")), *gates.values())]
    began, details = {0: job.began}, {0: ""}
    for entry in job.entries:
        index, detail = _step_of(entry, list(gates))
        if index or detail:
            began.setdefault(index, entry.at)
            details[index] = detail
    _fill(steps, began, details, job)
    return steps


def _step_of(entry: Entry, gates: list[str]) -> tuple[int, str]:
    """Return the index of the step that an event belongs to (0: the first), and its detail."""
    match entry.event:
        case ResourceDone(count, kind, name, action):
            return 1, f"{count} done, last: {kind} {name}: {action}"
        case PullProgress():
            return 0, pull_summary(entry.event)
        case ReadinessStep(step, detail) if step in gates:
            return 2 + gates.index(step), detail
    return 0, ""


def _fill(steps: list[Step], began: dict[int, float], details: dict[int, str], job: Job) -> None:
    end = job.ended or time.time()
    current = max(began) if job.state != "done" else len(steps)
    for index, step in enumerate(steps):
        following = [moment for later, moment in began.items() if later > index]
        if index in began:
            step.seconds = max(0.0, min([end, *following]) - began[index])
            step.detail = details.get(index, "")
        if index < current:
            step.state = "done"
        elif index == current:
            step.state = "now" if job.state == "running" else "failed"
