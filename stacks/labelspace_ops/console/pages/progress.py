"""The page of a job: its steps with times, its newest line, and what to do when it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from labelspace_ops.backup.formatting import proof_summary
from labelspace_ops.backup.models import Proof
from labelspace_ops.console import job_steps, widgets
from labelspace_ops.console.status_poller import TICK_SECONDS, StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.stack import state

TITLES = {
    "create": "Making",
    "delete": "Removing",
    "start": "Starting",
    "stop": "Stopping",
    "backup": "Backing up",
    "drill": "Proving a backup of",
    "restore": "Restoring",
}
ENDS = {
    "create": "It is ready.",
    "start": "It is ready.",
    "stop": "It is stopped; data, URL and passwords stay.",
}
SIGNS = {"done": "done", "now": "under way", "later": "not yet", "failed": "failed"}


class ProgressPage:
    """Reads the job's journal again and again: leaving the page or the console changes nothing."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.ended: jobs.Job | None = None
        job = jobs.latest(watch.home, name)
        title = f"{TITLES.get(job.verb, 'Working on')} {name}" if job else name
        with widgets.page(title):
            widgets.heading(title, 1)
            if job is None:
                widgets.note(f"Nothing was done to {name} from here.", "warn")
                return
            self.top = widgets.box("stack").props("aria-live=polite")
            with widgets.box("card", "section").props('aria-label="Steps"'):
                self.steps = widgets.box("steps", "ol")
            with ui.expansion("Everything it said", icon="subject").classes("card"):
                self.log = widgets.box("log mono").props('role=log tabindex=0 aria-label="Log"')
        self.told = 0
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Bring the page to what the journal says."""
        job = jobs.latest(self.watch.home, self.name)
        if job is None or self.ended == job:
            return
        self.steps.clear()
        with self.steps:
            for step in job_steps.job_steps(job):
                _step(step)
        if job.entries[: self.told] and len(job.entries) < self.told:
            self.log.clear()
            self.told = 0
        with self.log:
            for line in job.entries[self.told :]:
                widgets.text(f"{widgets.clock(line.at)}  {line.text}")
        self.told = len(job.entries)
        self.top.clear()
        with self.top:
            self._top(job)
        if job.state != "running":
            self.ended = job
            self.watch.refresh_now()

    def _top(self, job: jobs.Job) -> None:
        if job.state == "running":
            newest = job.entries[-1].text if job.entries else "starting"
            widgets.note(newest, "move").props("data-state=running")
            widgets.text("You can leave this page, or close the browser: it goes on.", "soft small")
        elif job.state == "done":
            self._done(job)
        else:
            widgets.note(job.reason or "It failed.", "bad").props(f"data-state={job.state}")
            with widgets.box("line"):
                widgets.button("Try again", on_click=lambda: self.try_again(job), icon="replay")
                widgets.button("Dismiss", on_click=self.dismiss, props="flat color=primary")

    def _done(self, job: jobs.Job) -> None:
        if job.verb == "delete":
            widgets.note(removed(job.result or {}), "good").props("data-state=done")
            widgets.button("To the list", on_click=lambda: ui.navigate.to("/"))
            return
        widgets.note(ended(job), "good").props("data-state=done")
        with widgets.box("line"):
            widgets.button("To the workspace", on_click=lambda: ui.navigate.to(f"/workspace/{self.name}"))

    async def try_again(self, job: jobs.Job) -> None:
        """Go on where it was; a wish that never became a stack goes back to the form."""
        if job.verb == "create" and self.name not in await asyncio.to_thread(state.names, self.watch.home):
            ui.navigate.to(f"/create?again={self.name}")
            return
        if job.verb == "delete":
            ui.navigate.to(f"/workspace/{self.name}")
            return
        again = {"create": ["--yes"], "restore": job.arguments}  # its arguments hold no secret
        begin(self.watch, job.verb, self.name, again.get(job.verb, []))

    def dismiss(self) -> None:
        """Forget the failed job; what it made stays."""
        jobs.forget(self.watch.home, self.name)
        self.watch.refresh_now()
        ui.navigate.to("/")


def begin(watch: StatusPoller, verb: str, name: str, arguments: list[str], stdin: str = "") -> None:
    """Begin a job and show its progress; a refusal is shown where one is."""
    try:
        jobs.begin(watch.home, verb, name, arguments, stdin)
    except OpsError as error:
        ui.notify(str(error), type="negative")
        return
    watch.refresh_now()
    ui.navigate.to(f"/workspace/{name}/progress")


def removed(result: dict[str, Any]) -> str:
    """What `delete` left, in words."""
    if result.get("purged"):
        return "It is removed with its annotations and backups; bucket data stays."
    where = result.get("backups", "")
    last = f"The last backup is in {where}." if result.get("backed_up") else f"Its backups are in {where}."
    return f"It is removed. Annotations and bucket data stay, for a new one of the name to go on with. {last}"


def ended(job: jobs.Job) -> str:
    """How a job ended well, in words."""
    told = TELLS.get(job.verb)
    return told(job.result) if told and job.result else ENDS.get(job.verb, "Done.")


def taken(result: dict[str, Any]) -> str:
    """What `backup` made, in words."""
    return f"The backup is taken: {result['kind']} {result['id']}."


def restored(result: dict[str, Any]) -> str:
    """What `restore` did, in words."""
    return f"It is back at {result['to']}. Lost: {result['lost']}."


TELLS: dict[str, Callable[[dict[str, Any]], str]] = {
    "backup": taken,
    "drill": lambda result: proof_summary(Proof.read(result)),
    "restore": restored,
}
"""Verbs whose result says more than that they ended."""


def _step(step: job_steps.Step) -> None:
    with widgets.box(step.state, "li").props(f'data-step="{step.state}"'):
        widgets.box(f"dot {step.state}", "span").props(f'role=img aria-label="{SIGNS[step.state]}"')
        with widgets.box("stack tight grow"):
            widgets.text(step.title)
            if step.detail and step.state in ("now", "failed"):
                widgets.text(step.detail, "small soft wrap")
        if step.seconds is not None:
            widgets.text(widgets.span(step.seconds), "time")
