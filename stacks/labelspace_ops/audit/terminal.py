"""Shows the audit as tables in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labelspace_ops.audit.charts import group, strength
from labelspace_ops.audit.results import AuditedRate, AuditReport, BalancedSet

MOST_ROWS = 12


def show(found: AuditReport) -> None:
    """Print the results on standard output."""
    console = Console(highlight=False)
    console.print(_plain(f"{found.items:,} items of {len(found.classes)} classes in {found.images:,} images"))
    for sentence in found.summary[1:]:
        console.print(_plain(sentence))
    for note in found.notes:
        console.print(_plain(f"note: {note}"))
    console.print(_coverage(found))
    console.print(_pairs(found))
    if found.predictions is not None:
        console.print(_errors(found))
        for row in found.gaps or []:
            if row.distinguishable or row.reversal or row.metric == "error":
                console.print(_plain(row.sentence))
    console.print(_plain(_balanced(found.balanced_set)))
    left = found.weighting.effective_sample_size
    console.print(_plain(f"weights: {found.items:,} items, worth {left:,.0f} once weighted"))


def _plain(value: object) -> str:
    """The text of annotators as printable characters without markup."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode())


def _rows(title: str, head: list[str], rows: list[list[str]]) -> Table:
    table = Table(*head, title=title, title_justify="left", box=None)
    for row in rows[:MOST_ROWS]:
        table.add_row(*map(_plain, row))
    if len(rows) > MOST_ROWS:
        table.caption = f"{len(rows) - MOST_ROWS} more in audit.json"
    return table


def _coverage(found: AuditReport) -> Table:
    rows = [
        [name, one.kind, f"{one.coverage * 100:.0f} %", f"{one.unknown:,}"]
        for name, one in found.attributes.items()
    ]
    return _rows("Coverage", ["attribute", "kind", "carried", "unknown"], rows)


def _pairs(found: AuditReport) -> Table | str:
    shown = found.findings() + found.findings(measured=True)
    rows = [[row.sentence or "", strength(row), f"{row.p_adjusted:.2g}"] for row in shown]
    return _rows("Suspicious pairs", ["finding", "Cramer's V", "p"], rows) if rows else "No suspicious pairs"


def _errors(found: AuditReport) -> Table:
    rows = [
        [group(row), "" if row.too_small else _rate(row),
         f"{row.errors:,} of {row.n:,}", "too small to judge" if row.too_small else ""]
        for row in found.error_rates
    ]  # fmt: skip
    return _rows("Error rates, the worst first", ["group", "rate", "errors", ""], rows)


def _rate(row: AuditedRate) -> str:
    rate, low, high = (one * 100 for one in (row.error_rate, row.ci_low, row.ci_high))
    return f"{rate:.1f} % [{low:.1f}, {high:.1f}]"


def _balanced(one: BalancedSet) -> str:
    names = ["class", *one.conditions]
    limits = "; ".join(", ".join(str(cell[name]) for name in names) for cell in one.limited_by[:5])
    left = "".join(f"; left out: {count:,} images ({why})" for why, count in one.left_out.items() if count)
    return (
        f"balanced set: {len(one.files):,} images, {one.per_cell:,} in each of {len(one.cells):,}"
        f" cells of {' x '.join(names)}; limited by {limits or 'nothing'}{left}"
    )
