"""A job's lines of progress, told as steps with times."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Literal

from labelspace_ops.jobs.runner import Job, Line

TITLES = {
    "create": ("Check the wish and this machine", "Make the parts"),
    "start": ("Check this machine", "Start the parts"),
    "stop": ("Take a last backup", "Stop the parts"),
    "delete": ("Take a last backup", "Remove the parts"),
    "restore": ("Keep what is there, restore", "Start the parts"),
    "backup": ("Take the backup",),
    "drill": ("Restore it beside the database, and compare",),
}
GATES = {
    "health": "Wait until every part of CVAT works",
    "admin": "Make the admin",
    "login": "Log in as the admin",
    "workers": "Look for a worker on every queue",
}
_RESOURCE = re.compile(r"\[ *(\d+)\] (.+)")
_GATE = re.compile(r"readiness: (\w+): (.*)")


@dataclass
class Step:
    """One step; ``seconds`` is None before it began."""

    title: str
    state: Literal["later", "now", "done", "failed"] = "later"
    detail: str = ""
    seconds: float | None = None


def job_steps(job: Job) -> list[Step]:
    """The steps of a job as far as it came: each lasts until the next one's first line."""
    gates = GATES if job.verb in ("create", "start", "restore") else {}
    steps = [Step(title) for title in (*TITLES.get(job.verb, ("Prepare", "Do it")), *gates.values())]
    began, details, parts = {0: job.began}, {0: ""}, 0
    for line in job.lines:
        at, detail, parts = _place(line, list(gates), parts)
        if at:
            began.setdefault(at, line.at)
            details[at] = detail
    _fill(steps, began, details, job)
    return steps


def _place(line: Line, gates: list[str], parts: int) -> tuple[int, str, int]:
    """Which step a line belongs to (0: none in particular), what it says, how many parts are done."""
    if found := _RESOURCE.match(line.text):
        return 1, f"{found[1]} done, last: {found[2]}", parts + 1
    found = _GATE.match(line.text)
    if found and found[1] in gates:
        return 2 + gates.index(found[1]), found[2], parts
    return 0, "", parts


def _fill(steps: list[Step], began: dict[int, float], details: dict[int, str], job: Job) -> None:
    end = job.ended or time.time()
    last = max(began) if job.state != "done" else len(steps)
    for at, step in enumerate(steps):
        following = [moment for later, moment in began.items() if later > at]
        if at in began:
            step.seconds = max(0.0, min([end, *following]) - began[at])
            step.detail = details.get(at, "")
        if at < last:
            step.state = "done"
        elif at == last:
            step.state = "now" if job.state == "running" else "failed"
