"""The conditions of each item: its attributes, its image's attributes and tags, and measured conditions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import measured
from labelspace_ops.audit.attribute_groups import is_number
from labelspace_ops.audit.dataset import Dataset, Rows
from labelspace_ops.audit.levels import Level
from labelspace_ops.audit.vocabulary import MISSING, UNKNOWN, Codes, Column, smallest
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices

TAGS = "image tag"
DEFAULT_BINS = "4"
MOST_VALUES_UNBINNED = 10
"""A number attribute that the user named is binned when it has more different values than this."""

LEAST_NAMES, ALMOST_ALL = 20, 0.9
"""The least number of items, and share of different values, at which an attribute identifies items."""


class Conditions(dict[str, Column]):
    """Attributes by name, with a row per item."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.measured: set[str] = set()


def names(dataset: Dataset) -> list[str]:
    """The names of conditions that are not attributes of the export."""
    tags = [dataset.labels[code] for code in np.unique(dataset.label[dataset.tag])]
    return [TAGS, *(f"tag: {label}" for label in tags), *measured.NAMES]


def gather(dataset: Dataset, rows: Rows, level: Level, additional: list[int], choices: Choices) -> Conditions:
    """All conditions that at least one item has."""
    found = Conditions()
    source = dataset.tag if level.name == "object" else dataset.tag & np.isin(dataset.label, additional)
    for name, column in dataset.attributes.items():
        filled = _filled(dataset, column, rows, source)
        named = name in choices.named or dataset.base_name(name) in choices.named
        if not named and _identifies(filled):
            found.notes.append(f"attribute {name}: a different value for almost every item, left out")
        elif named or len(filled.codes) == 0 or (filled.codes != MISSING).any():
            found[name] = _binned(filled, dataset.base_name(name), choices, found.notes)
        elif (column.codes != MISSING).any():
            found.notes.append(f"attribute {name}: no {level.name} that is audited carries it: not used")
    if level.name == "object":
        found |= _of_tags(dataset, rows, additional, found.notes)
    for name, column in measured.columns(dataset, rows, level.name).items():
        if name not in found:
            found[name] = column
            found.measured.add(name)
    found.notes += [_passed_over(name, why) for name, why in dataset.passed_over.items()]
    return found


def _identifies(column: Column) -> bool:
    """Whether the values identify the items, so that groups cannot be compared by them."""
    known = column.codes[column.codes != MISSING]
    return len(known) >= LEAST_NAMES and len(np.unique(known)) >= ALMOST_ALL * len(known)


def _passed_over(name: str, why: str) -> str:
    if why == "number":
        return f"attribute {name}: a number, passed over: compare its quarters with --bins {name}=4"
    return f"attribute {name}: {why}, left out"


def of_images(dataset: Dataset, column: Column, source: NDArray[np.bool_]) -> Codes:
    """The value of each image: that of its first ``source`` row with a value."""
    rows = np.flatnonzero(source & (column.codes != MISSING))[::-1]
    values = np.full(len(dataset.images), MISSING, dtype=column.codes.dtype)
    values[dataset.image[rows]] = column.codes[rows]
    return values


def _filled(dataset: Dataset, column: Column, rows: Rows, source: NDArray[np.bool_]) -> Column:
    """The value of each row; where a row has none, the value of its image."""
    own = column.codes if len(rows) == len(column.codes) else column.codes[rows]  # all rows: no copy
    if not source.any() or not len(own):
        return Column(own, column.values)
    of_row = of_images(dataset, column, source)[dataset.image[rows]]
    return Column(np.where(own == MISSING, of_row, own), column.values)


def _of_tags(dataset: Dataset, rows: Rows, additional: list[int], notes: list[str]) -> dict[str, Column]:
    """Image tags as conditions of objects: one condition if the tags exclude each other, else one per tag."""
    objects = set(np.unique(dataset.label[rows]).tolist())
    used = np.unique(dataset.label[dataset.tag & ~np.isin(dataset.label, additional)]).tolist()
    shared = [dataset.labels[code] for code in used if code in objects]
    if shared:
        notes.append(f"tags named like objects are no conditions: {', '.join(shared)}")
    codes = [code for code in used if code not in objects]
    if not codes:
        return {}
    has = np.zeros((len(dataset.images), len(codes)), dtype=bool)
    for place, code in enumerate(codes):
        has[dataset.image[dataset.tag & (dataset.label == code)], place] = True
    labels = [dataset.labels[code] for code in codes]
    if len(codes) > 1 and has.sum(axis=1).max() == 1 and has.any(axis=1).mean() >= 0.5:
        of_image = np.where(has.any(axis=1), has.argmax(axis=1), MISSING).astype(smallest(len(labels)))
        return {TAGS: Column(of_image[dataset.image[rows]], labels)}
    return {
        f"tag: {label}": Column(has[dataset.image[rows], place].astype(np.int8), ["no", "yes"])
        for place, label in enumerate(labels)
    }


def _binned(column: Column, name: str, choices: Choices, notes: list[str]) -> Column:
    """The column with its numbers in bins, if the user asked for bins or there are too many values."""
    how = choices.bins.get(name)
    known = [value for value in column.values if value.strip().lower() not in UNKNOWN]
    numeric = bool(known) and all(map(is_number, known))
    if how is None and (not numeric or len(known) <= MOST_VALUES_UNBINNED or name not in choices.named):
        return column
    if not numeric:
        odd = next((value for value in known if not is_number(value)), "no value")
        raise UsageError(f"bins: attribute {name!r} is no number ({odd!r}): leave it out of --bins")
    if how is None:
        notes.append(f"attribute {name}: {len(known)} different numbers, in quarters: or use --bins {name}=N")
    return _cut(column, edges_of(_numbers(column), how or DEFAULT_BINS, name))


def _numbers(column: Column) -> NDArray[np.float64]:
    """The number in each row; nan where it is unknown."""
    values = np.array(
        [float(one) if one.strip().lower() not in UNKNOWN else np.nan for one in column.values] + [np.nan]
    )
    return values[column.codes]


def edges_of(numbers: NDArray[Any], how: str, name: str) -> NDArray[np.float64]:
    """The inner edges of the bins: the given ones, or those of the given number of bins with equal counts."""
    try:
        edges = [float(one) for one in how.split(",")]
    except ValueError:
        raise UsageError(f"bins: {name}={how}: expected a number of bins, or edges like 18,40,65") from None
    if len(edges) == 1 and edges[0] >= 2 and edges[0].is_integer():
        known = numbers[~np.isnan(numbers)]
        quantiles = np.linspace(0, 1, int(edges[0]) + 1)[1:-1]
        return np.unique(np.quantile(known, quantiles)) if len(known) else np.array([])
    return np.unique(edges)


def _cut(column: Column, edges: NDArray[np.float64]) -> Column:
    numbers = _numbers(column)
    codes = np.where(np.isnan(numbers), MISSING, np.searchsorted(edges, numbers, side="right"))
    names = bin_names(edges)
    return Column(codes.astype(smallest(len(names))), names)


def bin_names(edges: NDArray[np.float64]) -> list[str]:
    """The name of each bin."""
    if not len(edges):
        return ["all"]
    texts = [f"{edge:g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and more"]
