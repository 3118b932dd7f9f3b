"""The backups of one workspace: what there is, a new one, a proof, and the way back."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from labelspace.home import Home
from labelspace_ops import engine
from labelspace_ops.backup import agent
from labelspace_ops.backup import restore as restoring
from labelspace_ops.backup.plan import moment
from labelspace_ops.backup.rows import verified
from labelspace_ops.console import parts
from labelspace_ops.console.pages.progress import begin
from labelspace_ops.console.watch import Watch
from labelspace_ops.errors import OpsError, UsageError

LATEST, BACKUP, TIME = "the last archived change", "one of the backups", "a time"
SHOWN = 50
"""Rows of the table: the newest; the command line lists all."""


class Backups:
    """Lists when asked to: each look asks the database's container."""

    def __init__(self, watch: Watch, name: str) -> None:
        self.watch, self.name = watch, name
        self.section = parts.section("Backups")
        with self.section:
            self.facts = parts.box("stack")
            self.list = parts.box("stack").props("aria-live=polite")
        self.section.set_visibility(False)

    def offer(self, row: dict[str, Any]) -> None:
        """Show what is known of them, and what can be done with them now."""
        self.section.set_visibility(bool(row["url"]) and row["target"] == "local")
        self.facts.clear()
        with self.facts:
            parts.facts(_facts(row["backup"]))
            self._buttons(row)

    def _buttons(self, row: dict[str, Any]) -> None:
        works = row["status"] in ("ready", "degraded")
        with parts.box("line"):
            if works:
                self._job("Back up now", "backup", "backup")
                self._job("Prove the newest", "drill", "verified")
            parts.button("Show all", on_click=self.show, icon="list", props="outline color=primary")
            if works or row["status"] == "stopped":
                parts.button("Restore …", on_click=self.ask, icon="history", props="outline color=primary")

    def _job(self, words: str, verb: str, icon: str) -> None:
        parts.button(words, on_click=lambda: begin(self.watch, verb, self.name, []), icon=icon,
                     props="outline color=primary")  # fmt: skip

    async def _rows(self) -> list[dict[str, Any]]:
        """Newest first; none, and the reason shown, when they cannot be read."""
        try:
            return (await asyncio.to_thread(_listing, self.name, self.watch.home))[::-1]
        except OpsError as error:
            with self.section:
                ui.notify(str(error), type="negative")
            return []

    async def show(self) -> None:
        """The table of backups."""
        rows = await self._rows()
        self.list.clear()
        with self.list:
            cells = [
                [parts.moment(row["when"]), row["kind"], parts.size(row["size"]), verified(row), row["id"]]
                for row in rows[:SHOWN]
            ]
            parts.table(["When", "Kind", "Size", "Proof", "Id"], cells, numbers=(2,))

    async def ask(self) -> None:
        """Open the dialog of a restore."""
        rows = [row for row in await self._rows() if row["complete"]]
        with (
            self.section
        ):  # the button that was pressed may be gone by now: it is drawn anew with each change
            Restore(self.watch, self.name, rows)


class Restore:
    """The dialog that asks where to go back to, and for the name to be typed."""

    def __init__(self, watch: Watch, name: str, rows: list[dict[str, Any]]) -> None:
        self.watch, self.name = watch, name
        with ui.dialog(value=True) as self.dialog, parts.box("card stack").props('aria-label="Restore"'):
            parts.heading(f"Bring back the annotations of {name}?")
            parts.text("People cannot work meanwhile. What is there now is kept as a backup first.")
            self.way = ui.radio([LATEST, BACKUP, TIME], value=LATEST, on_change=self.check)
            self.way.props('aria-label="Bring back to"')
            known = {row["id"]: f"{parts.moment(row['when'])}, {verified(row)}" for row in rows[:SHOWN]}
            self.backup = ui.select(known, label="Backup", on_change=self.check).props("outlined")
            self.backup.bind_visibility_from(self.way, "value", value=BACKUP)
            self.time = ui.input(
                "Time, such as 2026-11-24T15:04:00Z", on_change=self.check, validation={"": _is_time}
            ).props("outlined name=to")
            self.time.bind_visibility_from(self.way, "value", value=TIME)
            self.typed = ui.input("Type the workspace's name", on_change=self.check).props(
                "outlined name=typed"
            )
            with parts.box("line"):
                self.button = parts.button("Restore", on_click=self.go, props="color=negative")
                parts.button("Leave it", on_click=self.dialog.close, props="flat color=primary")
        self.check()
        self.dialog.on("hide", self.dialog.delete)

    def _moment(self) -> list[str] | None:
        """The command's flags; None while the choice is not complete."""
        if self.way.value == LATEST:
            return []
        if self.way.value == BACKUP:
            return ["--backup", self.backup.value] if self.backup.value else None
        return ["--to", self.time.value] if _is_time(self.time.value) else None

    def check(self) -> None:
        """The button works when the choice is complete and the name stands there."""
        self.button.set_enabled(self.typed.value == self.name and self._moment() is not None)

    def go(self) -> None:
        """Begin the restore; the server checks the choice again."""
        flags = self._moment()
        if self.typed.value == self.name and flags is not None:
            self.dialog.close()
            begin(self.watch, "restore", self.name, ["--yes", *flags])


def _facts(backup: dict[str, Any]) -> dict[str, str]:
    return {
        "Kept in": str(backup.get("where", "")),
        "Schedule": f"{backup.get('schedule', '')}, kept for {backup.get('keep', '')}",
        "Copies": str(backup.get("copies", 0)),
        "Last": parts.moment(backup.get("last")),
    }


def _is_time(text: str) -> bool:
    try:
        return bool(moment(text))
    except UsageError:
        return False


def _listing(name: str, home: Home) -> list[dict[str, Any]]:
    return restoring.listing(engine.connect(), agent.source(name, home))
