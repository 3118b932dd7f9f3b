"""The backups of one workspace: what there is, a new one, a proof, and the way back."""

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
"""As listed: newest last."""
COLUMNS = ["When", "Kind", "Size", "Proof", "Id"]
BACKUP, TIME = "one of the backups", "a time"
SHOWN = 50
"""Rows of the table: the newest; the command line lists all."""
DEBOUNCE_MS = 400
"""A time is looked up when nobody types on, as that may ask a server elsewhere."""


class Backups:
    """Lists when asked to: each look asks the database's container, or Scaleway."""

    def __init__(self, watch: StatusPoller, name: str) -> None:
        self.watch, self.name = watch, name
        self.section = widgets.section("Backups")
        with self.section:
            self.facts = widgets.box("stack")
            self.told = widgets.box("stack")
            self.list = widgets.box("stack").props("aria-live=polite")
        self.section.set_visibility(False)

    def offer(self, row: Status) -> None:
        """Show what is known of them, and what can be done with them now."""
        self.section.set_visibility(bool(row.url) or _may_wait_for_a_restore(row))
        self.facts.clear()
        with self.facts:
            widgets.facts(_facts(row.backup))
            self._buttons(row)

    def _buttons(self, row: Status) -> None:
        works = row.status in ("ready", "degraded")
        rests = row.status == "stopped"
        with widgets.box("line"):
            if works or (
                rests and _can(row, Capability.BACKUP_WHILE_STOPPED)
            ):  # what it cannot do at rest, it says itself
                self._job("Back up now", "backup", "backup")
                self._job("Prove the newest", "drill", "verified")
            widgets.button("Show all", on_click=self.show, icon="list", props="outline color=primary")
            if works or rests or _may_wait_for_a_restore(row):
                widgets.button("Restore …", on_click=self.ask, icon="history", props="outline color=primary")

    def _job(self, words: str, verb: str, icon: str) -> None:
        widgets.button(words, on_click=lambda: begin(self.watch, verb, self.name, []), icon=icon,
                     props="outline color=primary")  # fmt: skip

    async def _asked(self, question: Callable[[str, Home], T]) -> T | None:
        """Its answer; None, and the reason on the page, when there is none."""
        self._tell(lambda: widgets.text("Looking for backups …", "soft"))
        try:
            answer = await asyncio.to_thread(question, self.name, self.watch.home)
        except Exception as error:
            why = error_message(error)
            self._tell(lambda: widgets.note(why, "bad"))
            return None
        self.told.clear()
        return answer

    def _tell(self, draw: Callable[[], object]) -> None:
        self.told.clear()
        with self.told:
            draw()

    async def show(self) -> None:
        """The table of backups."""
        found = await self._asked(_listed)
        if found is None:
            return
        kept, rows = found
        self.list.clear()
        with self.list:
            widgets.table(COLUMNS, [_cells(row) for row in rows[: -SHOWN - 1 : -1]], numbers=(2,))
            widgets.text(kept.restorable(rows), "soft")

    async def ask(self) -> None:
        """Open the dialog of a restore, where one could begin."""
        found = await self._asked(_for_a_restore)
        if found is None:
            return
        with self.section:  # not the button: it is drawn anew with each change
            Restore(self.watch, self.name, *found)


class Restore:
    """The dialog that asks where to go back to, says what that takes, and asks for the name to be typed."""

    def __init__(
        self, watch: StatusPoller, name: str, kept: backups.Backups, rows: Rows, first: RestorePoint
    ) -> None:
        self.watch, self.name, self.kept = watch, name, kept
        self.choice: RestorePoint | None = first
        with ui.dialog(value=True) as self.dialog, widgets.box("card stack").props('aria-label="Restore"'):
            widgets.heading(f"Bring back the annotations of {name}?")
            widgets.text("People cannot work meanwhile. What is there now is kept as a backup first.")
            self.way = ui.radio([kept.latest, BACKUP, TIME], value=kept.latest, on_change=self.choose)
            self.way.props('aria-label="Bring back to"')
            self._fields(rows)
            self.taken = widgets.text(_said(first), "wrap").props("data-choice aria-live=polite")
            self.typed = ui.input("Type the workspace's name", on_change=self.check).props(
                "outlined name=typed"
            )
            with widgets.box("line"):
                self.button = widgets.button("Restore", on_click=self.go, props="color=negative")
                widgets.button("Leave it", on_click=self.dialog.close, props="flat color=primary")
        self.check()
        self.dialog.on("hide", self.dialog.delete)

    def _fields(self, rows: Rows) -> None:
        shown = rows[: -SHOWN - 1 : -1]
        known = {row.id: f"{widgets.moment(row.when)}, {verification(row)}" for row in shown}
        self.backup = ui.select(known, label="Backup", on_change=self.choose).props("outlined")
        self.backup.bind_visibility_from(self.way, "value", value=BACKUP)
        self.time = ui.input(
            "Time, such as 2026-11-24T15:04:00Z", on_change=self.choose, validation={"": _is_time}
        ).props(f"outlined name=to debounce={DEBOUNCE_MS}")
        self.time.bind_visibility_from(self.way, "value", value=TIME)

    def _wanted(self) -> dict[str, str] | None:
        """What ``chosen`` is asked; None while the fields are not complete."""
        if self.way.value == BACKUP:
            return {"backup": self.backup.value} if self.backup.value else None
        if self.way.value == TIME:
            return {"to": self.time.value} if _is_time(self.time.value) else None
        return {}

    async def choose(self) -> None:
        """Say what the restore would take; the button waits for it."""
        wanted, self.choice = self._wanted(), None
        self._say("" if wanted is None else "Looking for what that takes …")
        if wanted is None:
            return
        try:
            choice = await asyncio.to_thread(lambda: self.kept.chosen(**wanted))
            said = _said(choice)
        except Exception as error:
            choice, said = None, error_message(error)
        if wanted == self._wanted():  # else something else was chosen meanwhile
            self.choice = choice
            self._say(said)

    def _say(self, said: str) -> None:
        self.taken.set_text(said)
        self.check()

    def check(self) -> None:
        """The button works when it is known what is taken, and the name stands there."""
        self.button.set_enabled(self.typed.value == self.name and self.choice is not None)

    def go(self) -> None:
        """Begin the restore of what was shown; the server checks the name again."""
        if self.typed.value == self.name and self.choice:
            self.dialog.close()
            begin(self.watch, "restore", self.name, ["--yes", *self.choice.flags])


def _cells(row: BackupRow) -> list[str]:
    when = widgets.moment(row.when) if row.when else "not known"  # of one that was interrupted
    return [when, row.kind, widgets.size(row.size), verification(row), row.id]


def _may_wait_for_a_restore(row: Status) -> bool:
    """A server whose volume is empty beside backups never became ready: there is no URL yet."""
    return row.status == "failed" and _can(row, Capability.RESTORE_BEFORE_READY)


def _can(row: Status, capability: Capability) -> bool:
    """False for a workspace that was not measured yet."""
    return bool(row.target) and registry.get(row.target).can(capability)


def _facts(backup: BackupState) -> dict[str, str]:
    if backup.where is None:
        return {}
    return {
        "Kept in": backup.where,
        "Schedule": f"{backup.schedule}, kept for {backup.keep}",
        "Copies": "not measured" if backup.copies is None else str(backup.copies),
        "Last": widgets.moment(backup.last),
    }


def _is_time(text: str) -> bool:
    try:
        return bool(parse_time(text))
    except UsageError:
        return False


def _said(choice: RestorePoint) -> str:
    return f"Brings back {choice.text}."


def _listed(name: str, home: Home) -> tuple[backups.Backups, Rows]:
    kept = workspace_backups.for_workspace(name, home)
    return kept, kept.listing()


def _for_a_restore(name: str, home: Home) -> tuple[backups.Backups, Rows, RestorePoint]:
    """The backups that one can take, and what it would by itself; raises when none could begin."""
    kept = workspace_backups.for_workspace(name, home)
    first = kept.chosen()
    return kept, [row for row in kept.listing() if kept.takes(row)], first
