"""How often the model is wrong, by condition and by group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import statistics
from labelspace_ops.audit.dataset import MISSING
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.predictions import Predictions
from labelspace_ops.labels.audit_choices import Choices


def measure(items: Items, predictions: Predictions, choices: Choices) -> list[dict[str, Any]]:
    """By each attribute, by class, by pairs of attributes; the worst first, those too small to judge last."""
    judged = predictions.of_item != None  # noqa: E711 - of each element
    wrong = (
        np.array(items.classes, dtype=object)[items.label] != predictions.of_item if len(items) else judged
    )
    rows = [row for names in _crossings(items) for row in _rows(items, names, judged, wrong, choices)]
    return sorted(rows, key=lambda row: (row["too_small"], -row["error_rate"], -row["n"]))


def _crossings(items: Items) -> Iterator[tuple[tuple[str, ...], bool]]:
    yield (), False
    yield (), True
    for name in items.attributes:
        yield (name,), False
        yield (name,), True
    for pair in combinations(items.attributes, 2):
        yield pair, False


def _rows(
    items: Items,
    crossing: tuple[tuple[str, ...], bool],
    judged: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    choices: Choices,
) -> Iterator[dict[str, Any]]:
    names, by_class = crossing
    columns = [items.attributes[name].codes.astype(np.int64) for name in names]
    known = judged & np.all([column != MISSING for column in columns], axis=0) if columns else judged
    sides = [len(items.attributes[name].values) for name in names] + (
        [len(items.classes)] if by_class else []
    )
    parts = [column[known] for column in columns] + ([items.label[known]] if by_class else [])
    cell = np.ravel_multi_index(parts, sides) if parts else np.zeros(int(known.sum()), dtype=np.int64)
    width = int(np.prod(sides, dtype=np.int64))
    counts, errors = np.bincount(cell, minlength=width), np.bincount(cell[wrong[known]], minlength=width)
    for index in np.flatnonzero(counts):
        place = np.unravel_index(index, sides) if sides else ()
        by = {name: items.attributes[name].values[code] for name, code in zip(names, place, strict=False)}
        label = items.classes[place[-1]] if by_class else None
        yield _row(by, label, int(counts[index]), int(errors[index]), choices)


def _row(by: dict[str, str], label: str | None, count: int, errors: int, choices: Choices) -> dict[str, Any]:
    low, high = statistics.wilson(errors, count)
    return {
        "by": by, "class": label, "n": count, "errors": errors, "error_rate": errors / count,
        "ci_low": low, "ci_high": high, "too_small": count < choices.min_group,
    }  # fmt: skip


def gaps(rates: list[dict[str, Any]], items: Items) -> list[dict[str, Any]]:
    """Per attribute, over all classes: the worst and the best group, their difference and ratio."""
    found = []
    for name in items.attributes:
        groups = [row for row in rates if list(row["by"]) == [name] and row["class"] is None]
        fit = [row for row in groups if not row["too_small"]]
        found.append(_gap(name, fit) | {"too_small": [row["by"][name] for row in groups if row["too_small"]]})
    return found


def _gap(name: str, fit: list[dict[str, Any]]) -> dict[str, Any]:
    if len(fit) < 2:
        return {"attribute": name, "worst": None, "best": None, "difference": None, "ratio": None}
    worst, best = (choose(fit, key=lambda row: row["error_rate"]) for choose in (max, min))
    return {
        "attribute": name,
        "worst": worst["by"][name],
        "best": best["by"][name],
        "difference": worst["error_rate"] - best["error_rate"],
        "ratio": best["error_rate"] / worst["error_rate"] if worst["error_rate"] else None,
    }
