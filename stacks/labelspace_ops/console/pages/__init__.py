"""The pages, one module each, and their addresses."""

from __future__ import annotations

from nicegui import ui

from labelspace_ops.console.pages.costs import CostsPage
from labelspace_ops.console.pages.create import CreatePage
from labelspace_ops.console.pages.listing import ListPage
from labelspace_ops.console.pages.progress import ProgressPage
from labelspace_ops.console.pages.workspace import WorkspacePage
from labelspace_ops.console.status_poller import StatusPoller


def register(watch: StatusPoller) -> None:
    """Tell NiceGUI the pages."""

    @ui.page("/")
    def listing() -> None:
        ListPage(watch)

    @ui.page("/create")
    def create(again: str = "") -> None:
        CreatePage(watch, again)

    @ui.page("/workspace/{name}")
    def workspace(name: str) -> None:
        WorkspacePage(watch, name)

    @ui.page("/workspace/{name}/progress")
    def progress(name: str) -> None:
        ProgressPage(watch, name)

    @ui.page("/costs")
    def costs() -> None:
        CostsPage(watch)
