"""The page of a job: its steps with times, its newest line, and the next step after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui
from pydantic import ValidationError

from labelspace_ops.backup.formatting import proof_summary
from labelspace_ops.backup.models import BackupTaken, Proof, Restored
from labelspace_ops.console import job_steps, widgets
from labelspace_ops.console.status_poller import TICK_SECONDS, StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.core.reporting import PullProgress
from labelspace_ops.jobs import store as jobs
from labelspace_ops.stack import state
from labelspace_ops.workspaces.lifecycle import Deleted

TITLES = {
    "create": "Creating",
    "delete": "Deleting",
    "start": "Starting",
    "stop": "Stopping",
    "backup": "Backing up",
    "drill": "Verifying a backup of",
    "restore": "Restoring",
}
ENDS = {
    "create": "It is ready.",
    "start": "It is ready.",
    "stop": "It is stopped; data, URL and passwords stay.",
}
SIGNS = {"done": "done", "now": "under way", "later": "not yet", "failed": "failed"}


class ProgressPage:
    """Reads the job's journal every half second; the job does not depend on the page or the console."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.ended: jobs.Job | None = None
        job = jobs.latest(watch.home, name)
        title = f"{TITLES.get(job.verb, 'Working on')} {name}" if job else name
        with widgets.page(title):
            widgets.heading(title, 1)
            if job is None:
                widgets.note(f"The console has run no job on {name}.", "warn")
                return
            self.top = widgets.box("stack").props("aria-live=polite")
            with widgets.box("card", "section").props('aria-label="Steps"'):
                self.steps = widgets.box("steps", "ol")
            with ui.expansion("All messages", icon="subject").classes("card"):
                self.log = widgets.box("log mono").props('role=log tabindex=0 aria-label="Log"')
        self.logged = 0
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Update the page to the journal."""
        job = jobs.latest(self.watch.home, self.name)
        if job is None or self.ended == job:
            return
        self.steps.clear()
        with self.steps:
            for step in job_steps.job_steps(job):
                _step(step)
        self._log(job.entries)
        self.top.clear()
        with self.top:
            self._top(job)
        if job.state != "running":
            self.ended = job
            self.watch.refresh_now()

    def _log(self, entries: list[jobs.Entry]) -> None:
        if len(entries) < self.logged:  # a new job began
            self.log.clear()
            self.logged = 0
        with self.log:
            for entry in entries[self.logged :]:
                if not isinstance(entry.event, PullProgress):  # the steps show the newest one
                    widgets.text(f"{widgets.clock(entry.at)}  {entry.text}")
        self.logged = len(entries)

    def _top(self, job: jobs.Job) -> None:
        if job.state == "running":
            newest = job.entries[-1].text if job.entries else "starting"
            widgets.note(newest, "move").props("data-state=running")
            widgets.text("You can leave this page or close the browser: the job continues.", "soft small")
        elif job.state == "done":
            self._done(job)
        else:
            widgets.note(job.reason or "It failed.", "bad").props(f"data-state={job.state}")
            with widgets.box("line"):
                widgets.button("Try again", on_click=lambda: self.try_again(job), icon="replay")
                widgets.button("Dismiss", on_click=self.dismiss, props="flat color=primary")

    def _done(self, job: jobs.Job) -> None:
        widgets.note(result_text(job), "good").props("data-state=done")
        if job.verb == "delete":
            widgets.button("To the list", on_click=lambda: ui.navigate.to("/"))
            return
        with widgets.box("line"):
            widgets.button("To the workspace", on_click=lambda: ui.navigate.to(f"/workspace/{self.name}"))

    async def try_again(self, job: jobs.Job) -> None:
        """Continue the job; when creation failed before there was a stack, go back to the form."""
        if job.verb == "create" and self.name not in await asyncio.to_thread(state.names, self.watch.home):
            ui.navigate.to(f"/create?again={self.name}")
            return
        if job.verb == "delete":
            ui.navigate.to(f"/workspace/{self.name}")
            return
        again = {"create": ["--yes"], "restore": job.arguments}  # its arguments hold no secret
        begin(self.watch, job.verb, self.name, again.get(job.verb, []))

    def dismiss(self) -> None:
        """Forget the failed job; what it created stays."""
        jobs.forget(self.watch.home, self.name)
        self.watch.refresh_now()
        ui.navigate.to("/")


def begin(watch: StatusPoller, verb: str, name: str, arguments: list[str], stdin: str = "") -> None:
    """Begin a job and go to its page, or show on the current page why it is refused."""
    try:
        jobs.begin(watch.home, verb, name, arguments, stdin)
    except OpsError as error:
        ui.notify(str(error), type="negative")
        return
    watch.refresh_now()
    ui.navigate.to(f"/workspace/{name}/progress")


def result_text(job: jobs.Job) -> str:
    """Describe the result of a job that succeeded."""
    kind, text = RESULTS.get(job.verb, (None, None))
    if kind is None or text is None:
        return ENDS.get(job.verb, "Done.")
    try:
        return text(kind.model_validate(job.result))
    except ValidationError:  # the journal of another release
        return "Done."


def _deleted(result: Deleted) -> str:
    if result.purged:
        return "The workspace is removed with its annotations and backups; bucket data stays."
    last = "The last backup is" if result.backed_up else "Its backups are"
    return (
        "The workspace is removed. Annotations and bucket data stay; a new workspace of this name can use"
        f" them. {last} in {result.backups}."
    )


RESULTS: dict[str, tuple[type[JsonModel], Callable[[Any], str]]] = {
    "delete": (Deleted, _deleted),
    "backup": (BackupTaken, lambda result: f"The backup is taken: {result.kind} {result.id}."),
    "drill": (Proof, proof_summary),
    "restore": (Restored, lambda result: f"Restored to {result.to}. Lost: {result.lost}."),
}
"""Command -> the model of its result, and the text of it."""


def _step(step: job_steps.Step) -> None:
    with widgets.box(step.state, "li").props(f'data-step="{step.state}"'):
        widgets.box(f"dot {step.state}", "span").props(f'role=img aria-label="{SIGNS[step.state]}"')
        with widgets.box("stack tight grow"):
            widgets.text(step.title)
            if step.detail and step.state in ("now", "failed"):
                widgets.text(step.detail, "small soft wrap")
        if step.seconds is not None:
            widgets.text(widgets.span(step.seconds), "time")
