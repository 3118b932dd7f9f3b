"""The page of costs: what is paid for, and what is taken of this machine."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from labelspace.home import Home
from labelspace_ops.console import widgets
from labelspace_ops.console.status_poller import StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import state
from labelspace_ops.targets import registry
from labelspace_ops.targets.base import Capability
from labelspace_ops.workspaces import usage

COLUMNS = ["Workspace", "A month", "Memory now", "Memory at most", "Annotations", "Buckets", "Backups"]
MEASURED = ("memory", "memory_at_most", "data", "buckets", "backups")


class CostsPage:
    """Measures once when it is opened, and again when asked."""

    def __init__(self, watch: StatusPoller) -> None:
        self.watch = watch
        with widgets.page("Costs", "/costs"):
            widgets.heading("Costs", 1)
            widgets.text(
                "On this machine a workspace costs nothing but the memory and disk that it takes."
                " A stopped one takes disk alone. Elsewhere the price is that of the table in labelspace.",
                "soft",
            )
            self.place = widgets.box("stack").props("aria-live=polite")
            widgets.button(
                "Measure again", on_click=self.measure, icon="refresh", props="outline color=primary"
            )
        ui.timer(0, self.measure, once=True)

    async def measure(self) -> None:
        """Fill the table."""
        self._show([], "Measuring …")
        try:
            rows = await asyncio.to_thread(_rows, self.watch.home)
        except OpsError as error:
            self._show([], str(error))
            return
        self._show(rows, "" if rows else "No workspaces yet.")

    def _show(self, rows: list[dict[str, Any]], words: str) -> None:
        self.place.clear()
        with self.place:
            if words:
                widgets.text(words, "soft")
            if rows:
                with widgets.box("card", "section").props('aria-label="Costs by workspace"'):
                    widgets.table(COLUMNS, [_cells(row) for row in rows], numbers=(1, 2, 3, 4, 5, 6))


def _rows(home: Home) -> list[dict[str, Any]]:
    made = {name: state.outputs(name, home) for name in state.names(home)}
    return [
        _row(name, outputs, home) for name, outputs in made.items() if outputs and not outputs.get("deleted")
    ]


def _row(name: str, outputs: dict[str, Any], home: Home) -> dict[str, Any]:
    if registry.get(outputs["target"]).can(Capability.COST):
        return {"name": name, "cost": outputs.get("cost", {})}
    used = [bucket["name"] for bucket in outputs["buckets"]]
    return usage.measure(name, used, docker_engine.connect(), home)


def _cells(row: dict[str, Any]) -> list[str]:
    if "cost" in row:
        return [row["name"], widgets.price(row["cost"]), *["in the cloud"] * len(MEASURED)]
    return [row["name"], "0 €", *(widgets.size(row[key]) for key in MEASURED)]
