"""The annotators of one workspace: their accounts and jobs, and invitations."""

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
from labelspace_ops.stack import state
from labelspace_ops.targets.status import Status

COLUMNS = ["E-mail", "User name", "Group", "Jobs", "Completed"]


class Annotators:
    """Lists the annotators on request, because each listing signs in to CVAT as the admin."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.row = Status.unmeasured(name, "measuring")
        self.section = widgets.section(
            "Annotators", "They have accounts in CVAT; the admin assigns jobs to them."
        )
        with self.section:
            with widgets.box("line"):
                widgets.outline_button("Show annotators", on_click=self.show, icon="group")
                self.accounts = ui.link("Accounts", "", new_tab=True).classes("link")
            self.list = widgets.box("stack").props("aria-live=polite")
            with widgets.box("line"):
                self.email = ui.input("E-mail").props("outlined dense type=email name=invite")
                widgets.outline_button("Copy an invitation", on_click=self.copy, icon="content_copy")
            self.invitation = widgets.text("", "log wrap").props("data-invitation")
        self.invitation.set_visibility(False)
        self.section.set_visibility(False)

    def offer(self, row: Status) -> None:
        """Show the section while CVAT is available."""
        self.row = row
        self.section.set_visibility(bool(row.url) and row.status in ("ready", "degraded"))
        self.accounts.props(f'href="{row.url}/admin/auth/user/"')

    async def show(self) -> None:
        """Show the annotators of the labels file and all accounts."""
        try:
            rows = await asyncio.to_thread(_listing, self.name, self.watch.home)
        except OpsError as error:
            ui.notify(str(error), type="negative")
            return
        self.list.clear()
        with self.list:
            widgets.table(COLUMNS, [_cells(row) for row in rows], numbers=(3, 4))

    def copy(self) -> None:
        """Show an invitation and copy it to the user's clipboard."""
        address = self.email.value.strip()
        if "@" not in address:
            ui.notify("E-mail: type the address of the person to invite", type="negative")
            return
        try:
            text = project_annotators.invitation(address, state.require_outputs(self.name, self.watch.home))
        except OpsError as error:
            ui.notify(str(error), type="negative")
            return
        ui.clipboard.write(text)
        self.invitation.set_text(text)
        self.invitation.set_visibility(True)


def _listing(name: str, home: Home) -> list[AnnotatorRow]:
    return project_annotators.list_annotators(cvat_client.connect(name, home), labels_file.load(name))


def _cells(row: AnnotatorRow) -> list[str]:
    counts = [str(row.jobs), str(row.completed)] if row.signed_up else ["", ""]
    return [row.email, row.username or "has no account yet", row.group, *counts]
