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
    """Draws anew what changed, by itself."""

    def __init__(self, watch: StatusPoller) -> None:
        self.watch = watch
        self.drawn: list[Any] = []
        with widgets.page("Workspaces", "/"):
            widgets.heading("Workspaces", 1)
            self.place = widgets.box("stack").props("aria-live=polite")
        self.draw()
        ui.timer(TICK_SECONDS, self.draw)

    def draw(self) -> None:
        """Bring the page to the newest measurements."""
        watch = self.watch
        state = [watch.problem, watch.known is None, [_seen(watch, row) for row in watch.rows()]]
        if state != self.drawn:
            self.drawn = state
            self.place.clear()
            with self.place:
                _content(watch)


def _seen(watch: StatusPoller, row: Status) -> tuple[Status, str]:
    return row, _line(watch, row.name)


def _line(watch: StatusPoller, name: str) -> str:
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
        if line and row.status not in ("ready", "stopped", "asleep"):
            widgets.text(line, "small mono wrap")
        with widgets.box("meta"):
            for words in _meta(row):
                widgets.text(words)


def _meta(row: Status) -> list[str]:
    """Target, buckets, backup, price; nothing of what is not known yet."""
    target = registry.get(row.target) if row.target else None
    words = [f"on {target.title}"] if target else []
    if row.buckets:
        words.append("buckets: " + ", ".join(_bucket(bucket) for bucket in row.buckets))
    if row.url:
        words.append(f"last backup: {widgets.moment(row.backup.last)}")
    if target and not target.can(Capability.COST):
        words.append("0 € a month")
    elif row.cost:
        words.append(f"a month: {widgets.price(row.cost)}")
    return words


def _bucket(bucket: BucketStatus) -> str:
    return bucket.name if bucket.objects is None else f"{bucket.name} ({bucket.objects} objects)"
