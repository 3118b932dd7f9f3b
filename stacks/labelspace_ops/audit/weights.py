"""Weights that make a protected group and the class independent (reweighing, Kamiran and Calders 2012)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from labelspace_ops.audit import statistics
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.results import Weighting
from labelspace_ops.audit.spreadsheets import safe_cell
from labelspace_ops.audit.vocabulary import MISSING

FILE = "weights.csv"
ROWS_AT_A_TIME = 100_000
"""The number of rows of the file that are texts in memory."""


def compute(items: Items, names: list[str]) -> tuple[statistics.Numbers, Weighting]:
    """A weight per item (1 where the group is unknown), and the effective sample size."""
    known, group = _groups(items, names)
    groups, of_item = np.unique(group[known], return_inverse=True)
    counts = np.zeros((len(groups), len(items.classes)))
    np.add.at(counts, (of_item, items.label[known]), 1)
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(counts.sum(), 1)
    ratio = np.divide(expected, counts, out=np.zeros_like(counts), where=counts > 0)
    weights = np.ones(len(items))
    weights[known] = ratio[of_item, items.label[known]]
    return weights, Weighting(
        attributes=names,
        items=len(items),
        unknown_group=int((~known).sum()),
        empty_cells=int((counts == 0).sum()),
        smallest=float(weights.min()) if len(weights) else None,
        largest=float(weights.max()) if len(weights) else None,
        effective_sample_size=statistics.effective_size(weights),
    )


def _groups(items: Items, names: list[str]) -> tuple[Any, Any]:
    known, group = np.ones(len(items), dtype=bool), np.zeros(len(items), dtype=np.int64)
    for name in names:
        column = items.attributes[name]
        known &= column.codes != MISSING
        group = statistics.numbered(group * (len(column.values) + 1) + column.codes + 1)
    return known, group


def write(path: Path, items: Items, weights: statistics.Numbers, names: list[str]) -> None:
    """Write a row per item: image, object, class, group and weight."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "object", "class", *map(safe_cell, names), "weight"])
        for start in range(0, len(items), ROWS_AT_A_TIME):
            part = slice(start, start + ROWS_AT_A_TIME)
            writer.writerows(zip(*_texts(items, weights, names, part), strict=True))


def _texts(items: Items, weights: statistics.Numbers, names: list[str], part: slice) -> list[Any]:
    """The columns of some rows as texts."""
    columns = [items.attributes[name] for name in names]
    return [
        _cells(items.image[part], items.images.__getitem__),
        _cells(items.identity[part], lambda identity: items.identity_text(int(identity))),
        _cells(items.label[part], items.classes.__getitem__),
        *(_cells(one.codes[part], [*one.values, ""].__getitem__) for one in columns),
        _cells(weights[part], "{:.12g}".format),
    ]


def _cells(codes: Any, text: Callable[[Any], str]) -> Any:
    """The text of each row; each different code is converted once."""
    different, place = np.unique(codes, return_inverse=True)
    return np.array([safe_cell(text(one)) for one in different], dtype=object)[place]
