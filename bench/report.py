"""The figures of a run, as a table for people and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.rows import Row

COLUMNS = ("bench", "what", "figure", "peer", "ratio", "bound", "verdict")


@dataclass
class Report:
    """``rows`` by bench; ``failed`` says of a bench that could not be run why."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    when: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))

    @property
    def missed(self) -> list[Row]:
        """Those whose bound does not hold."""
        return [row for rows in self.rows.values() for row in rows if row.passed is False]

    @property
    def exit_code(self) -> int:
        """0 only when every bench ran and every bound holds."""
        return 1 if self.failed or self.missed else 0

    def as_json(self) -> dict[str, Any]:
        """Plain values: ``machine, when, rows`` (each with its ``bench``), ``failed``, ``missed``."""
        rows = [{"bench": name, **row.as_json()} for name, rows in self.rows.items() for row in rows]
        return {
            "machine": machine(),
            "when": self.when,
            "rows": rows,
            "failed": self.failed,
            "missed": [row.what for row in self.missed],
        }

    def as_markdown(self) -> str:
        """A table, then what was missed and what could not be run."""
        cells = [cell_row(name, row) for name, rows in self.rows.items() for row in rows]
        lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *(_line(row) for row in cells)]
        return "\n".join([*lines, "", *self.summary()])

    def summary(self) -> list[str]:
        """One sentence a miss and a failure; one when there are none."""
        said = [f"MISSED: {row.what}: {_of_bound(row)}, bound {row.bound}" for row in self.missed]
        said += [f"NOT RUN: {name}: {reason}" for name, reason in self.failed.items()]
        return said or ["every bound holds"]


def cell_row(bench: str, row: Row) -> list[str]:
    """A row's cells, as ``COLUMNS`` names them."""
    peer = f"{number(row.peer_value)} {row.unit} ({row.peer})" if row.peer_value is not None else ""
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    figure = f"{number(row.value)} {row.unit}".strip()
    return [bench, row.what, figure, peer, ratio, str(row.bound or ""), row.verdict]


def number(value: float) -> str:
    """Three significant digits; whole numbers as they are."""
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _of_bound(row: Row) -> str:
    if row.bound and row.bound.of == "ratio":
        return "no ratio" if row.ratio is None else f"ratio {row.ratio:.2f}"
    return f"{number(row.value)} {row.unit}".strip()


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def machine() -> dict[str, Any]:
    """What the figures hold for: processor, cores, memory (GiB), kernel, and how busy it was (load)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
