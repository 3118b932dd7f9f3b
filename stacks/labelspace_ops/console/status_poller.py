"""What the pages show: every workspace's status, measured again and again while somebody looks."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import Client

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.stack import state
from labelspace_ops.workspaces import status

PAUSE_SECONDS = 5.0
TICK_SECONDS = 0.5
BUSY = {
    "create": "creating",
    "delete": "deleting",
    "stop": "stopping",
    "start": "starting",
    "restore": "restoring",
}
"""A workspace's word while a job runs; a backup or a drill disturbs nobody."""


class StatusPoller:
    """The newest measurements by name; ``known`` is None before the first."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.known: list[str] | None = None
        self.measured: dict[str, dict[str, Any]] = {}
        self.problem = ""
        self._asked = asyncio.Event()

    def hurry(self) -> None:
        """Measure again now: something was done."""
        self._asked.set()

    async def go_on(self) -> None:
        """Measure for as long as the console lives, and only while a page is open."""
        while True:
            if any(client.has_socket_connection for client in Client.instances.values()):
                self._asked.clear()
                await self._measure()
                with_patience = asyncio.wait_for(self._asked.wait(), PAUSE_SECONDS)
                await asyncio.gather(with_patience, return_exceptions=True)
            else:
                await asyncio.sleep(TICK_SECONDS)

    async def _measure(self) -> None:
        try:
            names = await asyncio.to_thread(state.names, self.home)
            self.known = names
            self.measured = {name: row for name, row in self.measured.items() if name in names}
            problems = [await self._one(name) for name in names]
            self.problem = "\n".join(filter(None, problems))
        except Exception as error:
            self.problem = error_message(error)
            self.known = self.known or []

    async def _one(self, name: str) -> str:
        """Why a workspace cannot be measured; that one is no failure of the rest."""
        try:
            self.measured[name] = await asyncio.to_thread(_status, name, self.home)
        except Exception as error:
            why = error_message(error)
            return "" if "no such workspace" in why else f"{name}: cannot be measured: {why}"
        return ""

    def rows(self) -> list[dict[str, Any]]:
        """A status object for each workspace, and for each one whose making was begun or has failed."""
        known = [name for name in self.known or [] if self.measured.get(name, {}).get("status") != "deleted"]
        names = sorted({*known, *(name for name in jobs.names(self.home) if self._begun(name))})
        return [self.row(name) for name in names]

    def _begun(self, name: str) -> bool:
        job = jobs.latest(self.home, name)
        return job is not None and (job.state == "running" or (job.verb == "create" and job.state != "done"))

    def row(self, name: str) -> dict[str, Any]:
        """One workspace's newest measurement and the word of its newest job; empty values when unmeasured."""
        row = {"name": name, "target": "", "description": "", "status": "measuring", "url": "", "buckets": [],
               "backup": {}, "checks": [], "admin_username": "", "cvat_version": ""}  # fmt: skip
        row |= self.measured.get(name, {})
        job = jobs.latest(self.home, name)
        if job and job.state == "running":
            row["status"] = BUSY.get(job.verb, row["status"])
        elif self._begun(name) and not row["url"] and row["status"] in ("measuring", "stopped"):
            row["status"] = "failed"
        return row


def _status(name: str, home: Home) -> dict[str, Any]:
    return status.get(name, home)


def error_message(error: Exception) -> str:
    """What went wrong, for people; Pulumi's own report is long."""
    return str(error) if isinstance(error, OpsError) else state.error_reason(str(error))
