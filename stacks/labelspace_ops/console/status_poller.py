"""The status of every workspace for the pages, measured every few seconds while a page is open."""

from __future__ import annotations

import asyncio

from nicegui import Client

from labelspace.home import Home
from labelspace_ops.core import library_errors
from labelspace_ops.core.errors import OpsError
from labelspace_ops.jobs import store as jobs
from labelspace_ops.stack import pulumi_errors, state
from labelspace_ops.stack.state import NoSuchWorkspaceError
from labelspace_ops.targets.status import Status
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
"""The status of a workspace while a job runs; backups and drills do not change it."""


class StatusPoller:
    """The newest measurements by name; ``known`` is None before the first."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.known: list[str] | None = None
        self.measured: dict[str, Status] = {}
        self.problem = ""
        self._refresh = asyncio.Event()

    def refresh_now(self) -> None:
        """Measure now instead of at the end of the pause, because a job began or ended."""
        self._refresh.set()

    async def run(self) -> None:
        """Measure until the console ends, but only while a page is open."""
        while True:
            if any(client.has_socket_connection for client in Client.instances.values()):
                self._refresh.clear()
                await self._measure()
                pause = asyncio.wait_for(self._refresh.wait(), PAUSE_SECONDS)
                await asyncio.gather(pause, return_exceptions=True)
            else:
                await asyncio.sleep(TICK_SECONDS)

    async def _measure(self) -> None:
        try:
            names = await asyncio.to_thread(state.names, self.home)
            self.known = names
            self.measured = {name: row for name, row in self.measured.items() if name in names}
            problems = await asyncio.gather(*map(self._measure_one, names))
            self.problem = "\n".join(filter(None, problems))
        except Exception as error:
            self.problem = error_message(error)
            self.known = self.known or []

    async def _measure_one(self, name: str) -> str:
        """Measure one workspace; returns why that failed, so that the other workspaces are still measured."""
        try:
            self.measured[name] = await asyncio.to_thread(status.get_or_unreadable, name, self.home)
        except NoSuchWorkspaceError:  # it was deleted meanwhile
            return ""
        except Exception as error:
            return f"{name}: cannot be measured: {error_message(error)}"
        return ""

    def rows(self) -> list[Status]:
        """A status for each workspace, also for those that are being created or whose creation failed."""
        known = [name for name in self.known or [] if self._measurement(name).status != "deleted"]
        names = sorted({*known, *(name for name in jobs.names(self.home) if self._begun(name))})
        return [self.row(name) for name in names]

    def _begun(self, name: str) -> bool:
        job = jobs.latest(self.home, name)
        return job is not None and (job.state == "running" or (job.verb == "create" and job.state != "done"))

    def row(self, name: str) -> Status:
        """The newest measurement of a workspace, with the status that its newest job implies."""
        row, job = self._measurement(name), jobs.latest(self.home, name)
        if job and job.state == "running":
            return row.model_copy(update={"status": BUSY.get(job.verb, row.status)})
        if self._begun(name) and not row.url and row.status in ("measuring", "stopped"):
            return row.model_copy(update={"status": "failed"})
        return row

    def _measurement(self, name: str) -> Status:
        return self.measured.get(name) or Status.unmeasured(name, "measuring")


def error_message(error: Exception) -> str:
    """The reason of an error in a few lines; Pulumi's own report is long."""
    if isinstance(error, OpsError):
        return str(error)
    return library_errors.sentence(error) or pulumi_errors.error_reason(str(error))
