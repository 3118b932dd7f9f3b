"""Which conditions go together with which class, more than chance explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from labelspace_ops.audit import statistics
from labelspace_ops.audit.dataset import MISSING, Column
from labelspace_ops.audit.items import Items
from labelspace_ops.labels.audit_choices import Choices

NOTABLE_V = 0.1
NOTABLE_GAP = 0.1
"""With many items any difference is significant: one is suspicious from a tenth on, in V or in shares."""


def measure(items: Items, choices: Choices) -> list[dict[str, Any]]:
    """Every class against the rest by every attribute; the strongest first."""
    rng = np.random.default_rng(choices.seed)
    found = [
        _one(items, name, column, code, rng)
        for name, column in items.attributes.items()
        for code in range(len(items.classes))
    ]
    tested = [row for row in found if row["p_value"] is not None]
    for row, adjusted in zip(tested, statistics.holm([row["p_value"] for row in tested]), strict=True):
        notable = row["cramers_v"] >= NOTABLE_V or row["gap"] >= NOTABLE_GAP
        row |= {"p_adjusted": adjusted, "suspicious": bool(adjusted < choices.alpha and notable)}
    for row in found:
        row["sentence"] = _sentence(row) if row["suspicious"] else None
    return sorted(found, key=lambda row: (not row["suspicious"], -(row["cramers_v"] or 0.0)))


def table(items: Items, column: Column, code: int) -> statistics.Table:
    """Counts: the class above, the rest below, a column per value."""
    known = column.codes != MISSING
    in_class = items.label[known] == code
    width = len(column.values)
    cells = np.bincount(in_class * width + column.codes[known], minlength=2 * width).reshape(2, width)
    return cells[::-1].astype(np.int64)


def _one(items: Items, name: str, column: Column, code: int, rng: np.random.Generator) -> dict[str, Any]:
    counts = table(items, column, code)
    result = statistics.association(counts, rng)
    row: dict[str, Any] = {
        "attribute": name, "class": items.classes[code], "cramers_v": None, "ci_low": None, "ci_high": None,
        "p_value": None, "p_adjusted": None, "suspicious": False, "test": None, "gap": 0.0,
        "counts": dict(zip(column.values, counts[0].tolist(), strict=True)),
        "rest": dict(zip(column.values, counts[1].tolist(), strict=True)),
    }  # fmt: skip
    if result is None:
        return row | {"why": _why(items, counts)}
    shares = counts / counts.sum(axis=1, keepdims=True)
    return row | vars(result) | {"gap": float(np.abs(shares[0] - shares[1]).max())}


def _why(items: Items, counts: statistics.Table) -> str:
    if len(items.classes) < 2:
        return "only one class: nothing to compare with"
    if (counts.sum(axis=1) == 0).any():
        return "the class, or all others, lack the attribute"
    return "only one value: nothing to compare with"


def _sentence(row: dict[str, Any]) -> str:
    """The value whose share differs most, as "95 % of class A is outdoor"."""
    of_class, of_rest = sum(row["counts"].values()), sum(row["rest"].values())
    gaps = {value: count / of_class - row["rest"][value] / of_rest for value, count in row["counts"].items()}
    value = max(gaps, key=lambda one: (gaps[one], one))
    share, rest = row["counts"][value] / of_class, row["rest"][value] / of_rest
    return (
        f"{_percent(share)} of class {row['class']} is {_said(row['attribute'], value)}, "
        f"but {_percent(rest)} of the other classes"
    )


def _said(attribute: str, value: str) -> str:
    return f"{attribute}: {value}" if value in {"true", "false"} else f"{value} ({attribute})"


def _percent(share: float) -> str:
    """Never rounded up to all or down to nothing."""
    percent = share * 100
    digits = 1 if 99 < percent < 100 or 0 < percent < 1 else 0
    shown = f"{percent:.{digits}f}"
    return "more than 99.9 %" if shown == "100.0" else "less than 0.1 %" if shown == "0.0" else f"{shown} %"
