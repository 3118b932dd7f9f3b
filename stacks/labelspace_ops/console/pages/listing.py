"""The page of all workspaces."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from labelspace_ops.console import widgets
from labelspace_ops.console.status_poller import TICK_SECONDS, StatusPoller
from labelspace_ops.jobs import store as jobs
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability
from labelspace_ops.targets.status import BucketStatus, Status


class ListPage:
    """Redraws itself when a status changes."""

    def __init__(self, watch: StatusPoller) -> None:
        self.watch = watch
        self.drawn: list[Any] = []
        with widgets.page("Workspaces", "/"):
            widgets.heading("Workspaces", 1)
            self.content = widgets.box("stack").props("aria-live=polite")
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Update the page to the newest measurements."""
        watch = self.watch
        lines = [(row, _line(watch, row.name)) for row in watch.rows()]
        state = [watch.problem, watch.known is None, lines]
        if state != self.drawn:
            self.drawn = state
            self.content.clear()
            with self.content:
                _content(watch)


def _line(watch: StatusPoller, name: str) -> str:
    """Return the newest line of a job that runs or failed; empty for none."""
    job = jobs.latest(watch.home, name)
    if job is None or job.state == "done":
        return ""
    if job.state == "running":
        return job.entries[-1].text if job.entries else "starting"
    return job.reason.splitlines()[0] if job.reason else ""


def _content(watch: StatusPoller) -> None:
    rows = watch.rows()
    if watch.problem:
        widgets.note(watch.problem, "bad")
    if watch.known is None and not rows:
        widgets.text("Looking for workspaces …", "soft")
    elif not rows and not watch.problem:
        _empty()
    for row in rows:
        _card(watch, row)


def _empty() -> None:
    with widgets.box("card stack empty"):
        widgets.heading("No workspaces yet")
        widgets.text(
            "A workspace is an annotation server with your images, its own database and a URL to share."
            " It takes a minute or two.",
            "soft",
        )
        widgets.button("Create the first workspace", on_click=lambda: ui.navigate.to("/create"), icon="add")


def _card(watch: StatusPoller, row: Status) -> None:
    line = _line(watch, row.name)
    with widgets.box("card stack tight list-card", "article").props(f'data-workspace="{row.name}"'):
        with widgets.box("line"):
            with widgets.box("", "h2"):
                ui.link(row.name, f"/workspace/{row.name}")
            widgets.chip(row.status)
            if row.url and row.status in ("ready", "degraded"):
                ui.link(row.url, row.url, new_tab=True).classes("link end")
            elif line:
                ui.link("Progress", f"/workspace/{row.name}/progress").classes("link end")
        if row.description:
            widgets.text(row.description, "wrap")
        if row.status == "unreadable":
            widgets.note(row.checks[0].detail, "bad")
        if line and row.status not in ("ready", "stopped", "asleep"):
            widgets.text(line, "small mono wrap")
        with widgets.box("meta"):
            for item in _meta(row):
                widgets.text(item)


def _meta(row: Status) -> list[str]:
    """Return target, buckets, last backup and price, as far as they are known."""
    target = registry.get(row.target) if row.target else None
    items = [f"on {target.title}"] if target else []
    if row.buckets:
        items.append("buckets: " + ", ".join(_bucket(bucket) for bucket in row.buckets))
    if row.url:
        items.append(f"last backup: {widgets.moment(row.backup.last)}")
    if target and not target.can(Capability.COST):
        items.append("0 € a month")
    elif row.cost:
        items.append(f"a month: {widgets.price(row.cost)}")
    return items


def _bucket(bucket: BucketStatus) -> str:
    return bucket.name if bucket.objects is None else f"{bucket.name} ({bucket.objects} objects)"
