"""The annotators of one workspace: who signed up, with which jobs, and an invitation for who did not."""

from __future__ import annotations

import asyncio

from nicegui import ui

from labelspace.home import Home
from labelspace_ops.console import widgets
from labelspace_ops.console.status_poller import StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat import client as cvat_client
from labelspace_ops.labels import labels_file
from labelspace_ops.projects import annotators as project_annotators
from labelspace_ops.projects.annotators import AnnotatorRow
from labelspace_ops.targets.status import Status

COLUMNS = ["E-mail", "User name", "Group", "Jobs", "Completed"]


class Annotators:
    """Lists when asked to: each look asks the server, as its admin."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.row = Status.unmeasured(name, "measuring")
        self.section = widgets.section(
            "Annotators", "They sign up at the URL; the admin assigns jobs to them."
        )
        with self.section:
            with widgets.box("line"):
                widgets.button("Show annotators", on_click=self.show, icon="group",
                             props="outline color=primary")  # fmt: skip
                self.accounts = ui.link("Accounts", "", new_tab=True).classes("link")
            self.list = widgets.box("stack").props("aria-live=polite")
            with widgets.box("line"):
                self.email = ui.input("E-mail").props("outlined dense type=email name=invite")
                widgets.button("Copy an invitation", on_click=self.copy, icon="content_copy",
                             props="outline color=primary")  # fmt: skip
            self.invitation = widgets.text("", "log wrap").props("data-invitation")
        self.invitation.set_visibility(False)
        self.section.set_visibility(False)

    def offer(self, row: Status) -> None:
        """Show itself while the server answers."""
        self.row = row
        self.section.set_visibility(bool(row.url) and row.status in ("ready", "degraded"))
        self.accounts.props(f'href="{row.url}/admin/auth/user/"')

    async def show(self) -> None:
        """The table of everybody in the labels file or with an account."""
        try:
            rows = await asyncio.to_thread(_listing, self.name, self.watch.home)
        except OpsError as error:
            ui.notify(str(error), type="negative")
            return
        self.list.clear()
        with self.list:
            widgets.table(COLUMNS, [_cells(row) for row in rows], numbers=(3, 4))

    def copy(self) -> None:
        """A text to send, shown and put into the visitor's clipboard."""
        address = self.email.value.strip()
        if "@" not in address:
            ui.notify("E-mail: type the address of whom you invite", type="negative")
            return
        words = project_annotators.invitation(address, self.row.url, self.row.description)
        ui.clipboard.write(words)
        self.invitation.set_text(words)
        self.invitation.set_visibility(True)


def _listing(name: str, home: Home) -> list[AnnotatorRow]:
    return project_annotators.list_annotators(cvat_client.connect(name, home), labels_file.load(name))


def _cells(row: AnnotatorRow) -> list[str]:
    counts = [str(row.jobs), str(row.completed)] if row.signed_up else ["", ""]
    return [row.email, row.username or "did not sign up yet", row.group, *counts]
