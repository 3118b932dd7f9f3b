"""Charts as inline SVG; colours come from the page's style."""

from __future__ import annotations

import html
import math
from typing import Any

WIDTH = 880
LABELS = 300
ROW = 26


def safe(value: object) -> str:
    """Text for HTML; bytes that are no UTF-8 are shown as such."""
    return html.escape(str(value).encode("utf-8", "backslashreplace").decode())


def short(value: object, most: int = 42) -> str:
    """Text that fits beside a chart."""
    said = str(value)
    return safe(said if len(said) <= most else said[: most - 1] + "…")


def shares(row: dict[str, Any]) -> str:
    """The shares of an attribute's values, in a class and in the rest: two bars a value."""
    totals = [max(sum(row[side].values()), 1) for side in ("counts", "rest")]
    values = [value for value in row["counts"] if row["counts"][value] or row["rest"][value]]
    parts = []
    for place, value in enumerate(sorted(values, key=lambda one: -row["counts"][one])[:12]):
        top = place * 40
        parts.append(_text(LABELS - 10, top + 22, short(value), "end"))
        for shift, side, name, total in ((4, "counts", "one", totals[0]), (20, "rest", "rest", totals[1])):
            parts.append(_bar(top + shift, row[side][value] / total, row[side][value], total, name))
    return _svg(len(values[:12]) * 40, parts, f"shares of {row['attribute']}")


def _bar(top: int, share: float, count: int, total: int, name: str) -> str:
    width = share * (WIDTH - LABELS - 150)
    said = f"{share * 100:.1f} % ({count:,} of {total:,})"
    return (
        f'<rect class="{name}" x="{LABELS}" y="{top}" width="{max(width, 1):.1f}" height="14" rx="3"/>'
        f'<text class="soft" x="{LABELS + width + 8:.1f}" y="{top + 11}">{said}</text>'
    )


def bars(rows: list[tuple[str, float, str]]) -> str:
    """A bar each: label, share from 0 to 1, what is written behind it."""
    parts = []
    for place, (label, share, said) in enumerate(rows):
        top, width = place * ROW, share * (WIDTH - LABELS - 200)
        parts.append(_text(LABELS - 10, top + 17, short(label), "end"))
        parts.append(
            f'<rect class="rest faint" x="{LABELS}" y="{top + 6}" width="{WIDTH - LABELS - 200}"'
            ' height="14" rx="3"/>'
        )
        parts.append(f'<rect class="one" x="{LABELS}" y="{top + 6}" width="{width:.1f}" height="14" rx="3"/>')
        parts.append(f'<text class="soft" x="{WIDTH - 190}" y="{top + 17}">{safe(said)}</text>')
    return _svg(len(rows) * ROW, parts, "coverage")


def whiskers(rows: list[dict[str, Any]]) -> str:
    """Error rates with their intervals; groups too small to judge are faint."""
    limit = math.ceil(25 * max([row["ci_high"] for row in rows], default=1.0)) / 25  # whole ticks
    reach = WIDTH - LABELS - 220
    parts = [_tick(LABELS + reach * part / 4, len(rows), limit * part / 4) for part in range(5)]
    for place, row in enumerate(rows):
        middle = place * ROW + ROW / 2
        low, rate, high = (LABELS + reach * row[key] / limit for key in ("ci_low", "error_rate", "ci_high"))
        said = f"{row['error_rate'] * 100:.1f} % · {row['errors']:,} of {row['n']:,}" + (
            ", too small to judge" if row["too_small"] else ""
        )
        parts.append(
            f"<g{' class=faint' if row['too_small'] else ''}>"
            + _text(LABELS - 10, middle + 4, short(group(row)), "end")
            + f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}"/>'
            f'<circle class="one" cx="{rate:.1f}" cy="{middle}" r="4.5"/></g>'
            f'<text class="soft" x="{LABELS + reach + 12}" y="{middle + 4}">{said}</text>'
        )
    return _svg(len(rows) * ROW + 22, parts, "error rates")


def group(row: dict[str, Any]) -> str:
    """A group in words."""
    said = ", ".join(f"{name}: {value}" for name, value in row["by"].items())
    return f"{said}, class {row['class']}".lstrip(", ") if row["class"] is not None else said or "all"


def _tick(x: float, rows: int, value: float) -> str:
    return (
        f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{rows * ROW}"/>'
        f'<text class="soft" x="{x:.1f}" y="{rows * ROW + 16}" text-anchor="middle">'
        f"{value * 100:.0f} %</text>"
    )


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{said}</text>'


def _svg(height: int, parts: list[str], what: str) -> str:
    box = f"0 0 {WIDTH} {max(height, 1)}"
    return f'<svg viewBox="{box}" role="img" aria-label="{safe(what)}">{"".join(parts)}</svg>'
