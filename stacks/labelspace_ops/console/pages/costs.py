"""The page of costs: prices in the cloud, memory and disk of this machine."""

from __future__ import annotations

import asyncio

from nicegui import ui

from labelspace.home import Home
from labelspace_ops.console import widgets
from labelspace_ops.console.status_poller import StatusPoller
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.targets import registry

COLUMNS = ["Workspace", "A month", "Memory now", "Memory at most", "Annotations", "Buckets", "Backups"]


class CostsPage:
    """Measures once when it is opened, and again on request."""

    def __init__(self, watch: StatusPoller) -> None:
        self.watch = watch
        with widgets.page("Costs", "/costs"):
            widgets.heading("Costs", 1)
            widgets.text(
                "On this machine a workspace costs nothing but memory and disk; a stopped one uses disk only."
                " Prices in the cloud come from labelspace's own table.",
                "soft",
            )
            self.content = widgets.box("stack").props("aria-live=polite")
            widgets.outline_button("Measure again", on_click=self.measure, icon="refresh")
        ui.timer(0, self.measure, once=True)

    async def measure(self) -> None:
        """Measure and show the table."""
        self._show([], "Measuring …")
        try:
            rows = await asyncio.to_thread(_rows, self.watch.home)
        except OpsError as error:
            self._show([], str(error))
            return
        self._show(rows, "" if rows else "No workspaces yet.")

    def _show(self, rows: list[list[str]], status: str) -> None:
        self.content.clear()
        with self.content:
            if status:
                widgets.text(status, "soft")
            if rows:
                with widgets.box("card", "section").props('aria-label="Costs by workspace"'):
                    widgets.table(COLUMNS, rows, numbers=(1, 2, 3, 4, 5, 6))


def _rows(home: Home) -> list[list[str]]:
    made = {name: state.outputs(name, home) for name in state.names(home)}
    return [
        [name, *_cells(name, outputs, home)]
        for name, outputs in made.items()
        if outputs and not outputs.get("deleted")
    ]


def _cells(name: str, outputs: state.Properties, home: Home) -> list[str]:
    """Return the monthly price, then sizes in the order of the columns."""
    usage = registry.get(outputs["target"]).usage(name, outputs, home)
    if usage is None:
        return [widgets.price(outputs.get("cost", {})), *["in the cloud"] * (len(COLUMNS) - 2)]
    sizes = (usage.memory, usage.memory_at_most, usage.data, usage.buckets, usage.backups)
    return ["0 €", *map(widgets.size, sizes)]
