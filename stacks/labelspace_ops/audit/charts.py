"""Charts as HTML. Long names wrap; colours and widths come from the page's style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

from labelspace_ops.audit.results import AuditedPair, AuditedRate

MOST_VALUES = 12
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
"""Distances between ticks of an axis, as shares."""


def safe(value: object) -> str:
    """Text for HTML: bytes that are not UTF-8 are escaped, and no line breaks before "%"."""
    text = html.escape(str(value).encode("utf-8", "backslashreplace").decode())
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def shares(row: AuditedPair) -> str:
    """Two bars for each value of an attribute: its share in a class and in the other classes."""
    of_class, of_rest = (max(sum(side.values()), 1) for side in (row.counts, row.rest))
    used = [value for value in row.counts if row.counts[value] or row.rest[value]]
    used.sort(key=lambda value: -abs(row.counts[value] / of_class - row.rest[value] / of_rest))
    parts = []
    for value in used[:MOST_VALUES]:
        both = _bar(row.counts[value], of_class, "one") + _bar(row.rest[value], of_rest, "rest")
        parts.append(_row(safe(value), f'<span class="pair">{both}</span>'))
    more = len(used) - MOST_VALUES
    return _chart(parts) + (
        f'<p class="soft small">{more:,} more values in audit.json.</p>' if more > 0 else ""
    )


def _bar(count: int, total: int, css: str) -> str:
    width = f"width: {max(count / total * 100, 0.3):.1f}%"
    return (
        f'<span class="line"><span class="track"><i class="{css}" style="{width}"></i></span>'
        f'<span class="said">{count / total * 100:.1f} % {_of(count, total)}</span></span>'
    )


def _of(part: int, whole: int) -> str:
    """The counts in brackets, on one line."""
    return f"({part:,}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}{whole:,})"


def strength(row: AuditedPair) -> str:
    """Cramer's V with its interval, if it has one."""
    interval = "" if row.ci_low is None else f" [{row.ci_low:.2f}, {row.ci_high:.2f}]"
    return f"{row.cramers_v:.2f}{interval}"


def bars(rows: Iterable[tuple[str, float, str]]) -> str:
    """One bar per row of label, share from 0 to 1, and the text after the bar."""
    return _chart(
        _row(
            safe(label),
            '<span class="line"><span class="track full">'
            f'<i class="one" style="width: {share * 100:.1f}%"></i></span>'
            f'<span class="said">{safe(said)}</span></span>',
        )
        for label, share, said in rows
    )  # fmt: skip


def whiskers(rows: list[AuditedRate]) -> str:
    """Error rates with their intervals; groups that are too small are faint."""
    limit, step = scale(max([row.ci_high for row in rows], default=1.0))
    parts = [_whisker(row, limit) for row in rows]
    ticks = "".join(
        f'<b style="left: {number * step / limit * 100:.2f}%">{number * step * 100:.0f} %</b>'
        for number in range(round(limit / step) + 1)
    )
    axis = f'<span class="line"><span class="track axis">{ticks}</span><span class="said"></span></span>'
    return _chart([*parts, _row("", axis)]) if rows else ""


def scale(most: float) -> tuple[float, float]:
    """The end of an axis from 0, and the distance between its ticks (at most five), as round numbers."""
    step = next((step for step in STEPS if most <= 5 * step + 1e-9), STEPS[-1])
    return min(1.0, step * max(1, math.ceil(most / step - 1e-9))), step


def _whisker(row: AuditedRate, limit: float) -> str:
    low, rate, high = (min(100.0, one / limit * 100) for one in (row.ci_low, row.error_rate, row.ci_high))
    said = f"{row.error_rate * 100:.1f} % {_of(row.errors, row.n)}"
    if row.too_small:
        said += ", too small to judge"
    css = " faint" if row.too_small else ""
    track = (
        f'<span class="track axis{css}">'
        f'<i class="whisker" style="left: {low:.2f}%; width: {high - low:.2f}%"></i>'
        f'<i class="dot" style="left: {rate:.2f}%"></i></span>'
    )
    return _row(safe(group(row)), f'<span class="line">{track}<span class="said">{said}</span></span>')


def group(row: AuditedRate) -> str:
    """The text that describes a group."""
    said = ", ".join(f"{name}: {value}" for name, value in row.by.items())
    return f"{said}, class {row.label}".lstrip(", ") if row.label is not None else said or "all"


def _row(label: str, body: str) -> str:
    return f'<div class="row"><span class="name">{label}</span>{body}</div>'


def _chart(rows: Iterable[str]) -> str:
    return f'<div class="chart">{"".join(rows)}</div>'
