"""The backups of one workspace: the list, a new backup, a drill, a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from nicegui import ui

from labelspace.home import Home
from labelspace_ops.backup import base as backups
from labelspace_ops.backup.base import RestorePoint
from labelspace_ops.backup.formatting import verification
from labelspace_ops.backup.models import BackupRow, BackupState
from labelspace_ops.backup.restore_plan import parse_time
from labelspace_ops.console import widgets
from labelspace_ops.console.pages.progress import begin
from labelspace_ops.console.status_poller import StatusPoller, error_message
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability
from labelspace_ops.targets.status import Status
from labelspace_ops.workspaces import backups as workspace_backups

T = TypeVar("T")
Rows = list[BackupRow]
"""Newest last."""
COLUMNS = ["When", "Kind", "Size", "Verified", "Id"]
BACKUP, TIME = "one of the backups", "a time"
SHOWN = 50
"""Rows of the table, the newest; the command line lists all."""
DEBOUNCE_MS = 400
"""A typed time is looked up after this pause, because that may need a call to a remote server."""


class Backups:
    """Lists the backups on request, because each listing runs a command in the database's container."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.section = widgets.section("Backups")
        with self.section:
            self.facts, self.buttons = widgets.Area(), widgets.Area("line")
            self.notice = widgets.box("stack")
            self.list = widgets.box("stack").props("aria-live=polite")
        self.section.set_visibility(False)

    def offer(self, row: Status) -> None:
        """Show the newest measurement and the possible actions."""
        self.section.set_visibility(bool(row.url) or _may_need_restore(row))
        facts = _facts(row.backup)
        self.facts.show(facts, lambda: widgets.facts(facts))
        runs, stopped = row.status in ("ready", "degraded"), row.status == "stopped"
        can_back_up = runs or (stopped and _can(row, Capability.BACKUP_WHILE_STOPPED))
        can_restore = runs or stopped or _may_need_restore(row)
        self.buttons.show((can_back_up, can_restore), lambda: self._draw_buttons(can_back_up, can_restore))

    def _draw_buttons(self, can_back_up: bool, can_restore: bool) -> None:
        if can_back_up:
            self._job("Back up now", "backup", "backup")
            self._job("Verify the newest", "drill", "verified")
        widgets.outline_button("Show all", on_click=self.show, icon="list")
        if can_restore:
            widgets.outline_button("Restore …", on_click=self.ask, icon="history")

    def _job(self, label: str, verb: str, icon: str) -> None:
        widgets.outline_button(label, on_click=lambda: begin(self.watch, verb, self.name, []), icon=icon)

    async def _query(self, function: Callable[[str, Home], T]) -> T | None:
        """Return the result of ``function``; when it fails, show the reason and return None."""
        self._show_notice(lambda: widgets.text("Looking for backups …", "soft"))
        try:
            result = await asyncio.to_thread(function, self.name, self.watch.home)
        except Exception as error:
            why = error_message(error)
            self._show_notice(lambda: widgets.note(why, "bad"))
            return None
        self.notice.clear()
        return result

    def _show_notice(self, draw: Callable[[], object]) -> None:
        self.notice.clear()
        with self.notice:
            draw()

    async def show(self) -> None:
        """Show the table of backups."""
        found = await self._query(_list)
        if found is None:
            return
        workspace, rows = found
        self.list.clear()
        with self.list:
            widgets.table(COLUMNS, [_cells(row) for row in _newest(rows)], numbers=(2,))
            widgets.text(workspace.restorable(rows), "soft")

    async def ask(self) -> None:
        """Open the dialog of a restore, if a restore is possible."""
        found = await self._query(_list_restorable)
        if found is None:
            return
        with self.section:  # the button is redrawn with each change
            Restore(self.watch, self.name, *found)


class Restore(widgets.ConfirmByName):
    """The dialog of a restore: the restore point, what it means, and the confirmation."""

    def __init__(
        self, watch: StatusPoller, name: str, workspace: backups.Backups, rows: Rows, first: RestorePoint
    ) -> None:
        self.watch, self.backups, self.rows = watch, workspace, rows
        self.choice: RestorePoint | None = first
        super().__init__(f"Restore the annotations of {name}?", name, "Restore", self._fields)
        self._describe(_describe(first))

    def _fields(self) -> None:
        widgets.text("Annotators cannot work meanwhile. The current data is backed up first.")
        latest = self.backups.latest
        self.way = ui.radio([latest, BACKUP, TIME], value=latest, on_change=self.choose)
        self.way.props('aria-label="Restore to"')
        known = {row.id: f"{widgets.moment(row.when)}, {verification(row)}" for row in _newest(self.rows)}
        self.backup = ui.select(known, label="Backup", on_change=self.choose).props("outlined")
        self.backup.bind_visibility_from(self.way, "value", value=BACKUP)
        self.time = ui.input(
            "Time, such as 2026-11-24T15:04:00Z", on_change=self.choose, validation={"": _is_time}
        ).props(f"outlined name=to debounce={DEBOUNCE_MS}")
        self.time.bind_visibility_from(self.way, "value", value=TIME)
        self.description = widgets.text("", "wrap").props("data-choice aria-live=polite")

    def _selection(self) -> dict[str, str] | None:
        """Return the arguments of ``Backups.chosen``; None while the fields are not complete."""
        if self.way.value == BACKUP:
            return {"backup": self.backup.value} if self.backup.value else None
        if self.way.value == TIME:
            return {"to": self.time.value} if _is_time(self.time.value) else None
        return {}

    async def choose(self) -> None:
        """Look up the selected restore point; the button is disabled meanwhile."""
        selection, self.choice = self._selection(), None
        self._describe("" if selection is None else "Looking up the restore point …")
        if selection is None:
            return
        try:
            choice = await asyncio.to_thread(lambda: self.backups.chosen(**selection))
            text = _describe(choice)
        except Exception as error:
            choice, text = None, error_message(error)
        if selection == self._selection():  # otherwise the user has changed it meanwhile
            self.choice = choice
            self._describe(text)

    def _describe(self, text: str) -> None:
        self.description.set_text(text)
        self.check()

    def is_complete(self) -> bool:
        """Return whether a restore point is known and the name is typed."""
        return super().is_complete() and self.choice is not None

    def confirmed(self) -> None:
        """Begin the restore of the restore point that was shown."""
        if self.choice:
            begin(self.watch, "restore", self.name, ["--yes", *self.choice.flags])


def _newest(rows: Rows) -> Rows:
    """Return the newest backups, newest first."""
    return rows[: -SHOWN - 1 : -1]


def _cells(row: BackupRow) -> list[str]:
    when = widgets.moment(row.when) if row.when else "not known"  # interrupted
    return [when, row.kind, widgets.size(row.size), verification(row), row.id]


def _may_need_restore(row: Status) -> bool:
    """Return whether an empty volume next to backups may have stopped the first start."""
    return row.status == "failed" and _can(row, Capability.RESTORE_BEFORE_READY)


def _can(row: Status, capability: Capability) -> bool:
    """Return whether the target has the ability; False for a workspace that was not measured yet."""
    return bool(row.target) and registry.get(row.target).can(capability)


def _facts(backup: BackupState) -> dict[str, str]:
    if backup.where is None:
        return {}
    return {
        "Location": backup.where,
        "Schedule": f"{backup.schedule}, retained for {backup.keep}",
        "Copies": "not measured" if backup.copies is None else str(backup.copies),
        "Last": widgets.moment(backup.last),
    }


def _is_time(text: str) -> bool:
    try:
        return bool(parse_time(text))
    except UsageError:
        return False


def _describe(choice: RestorePoint) -> str:
    return f"Restores {choice.text}."


def _list(name: str, home: Home) -> tuple[backups.Backups, Rows]:
    workspace = workspace_backups.for_workspace(name, home)
    return workspace, workspace.listing()


def _list_restorable(name: str, home: Home) -> tuple[backups.Backups, Rows, RestorePoint]:
    """Return the backups that can be restored, and the default restore point; raises ``OpsError``."""
    workspace = workspace_backups.for_workspace(name, home)
    first = workspace.chosen()
    return workspace, [row for row in workspace.listing() if workspace.takes(row)], first
