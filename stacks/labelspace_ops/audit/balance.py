"""Validation sets in which class and conditions are independent: with equal cells, or with unequal ones."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import independence, statistics
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.results import BalancedSet, Cell, Independent
from labelspace_ops.audit.vocabulary import MISSING
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices

MOST_CELLS = 100_000


def compose(items: Items, names: list[str], choices: Choices) -> BalancedSet:
    """The balanced set: its files, its cells and those that limit it. A seed always gives the same files."""
    cells, left_out = _cells(items, names)
    available = {cell: len(files) for cell, files in cells.items()}
    per_cell = min(available.values(), default=0)
    rng = np.random.default_rng(choices.seed)
    files = [name for cell in cells for name in _draw(cells[cell], per_cell, rng)]
    scarce = [cell for cell, count in available.items() if count == per_cell]
    return BalancedSet(
        conditions=names,
        files=sorted(files),
        cells=[_named(names, cell) | {"available": count} for cell, count in available.items()],
        per_cell=per_cell,
        limited_by=[_named(names, cell) | {"available": per_cell} for cell in scarce],
        collect_next=_collect(names, available, scarce),
        independent=_independent(cells, independence.largest(available), names, choices),
        leave_out=[] if per_cell else independence.leave_out(available, ["class", *names]),
        left_out=left_out,
        seed=choices.seed,
    )


def _independent(
    cells: dict[tuple[str, ...], list[str]],
    counts: dict[tuple[str, ...], int],
    names: list[str],
    choices: Choices,
) -> Independent:
    """The largest set found in which class and conditions are independent: all classes have the same mix."""
    rng = np.random.default_rng(choices.seed)
    files = [name for cell, count in counts.items() for name in _draw(cells[cell], count, rng)]
    chosen = [_named(names, cell) | {"images": count} for cell, count in counts.items() if count]
    return Independent(sorted(files), chosen)


def _cells(items: Items, names: list[str]) -> tuple[dict[tuple[str, ...], list[str]], dict[str, int]]:
    """The files of each cell, and the number of images that are left out, by reason."""
    sides = [sorted(items.classes), *(_used(items, name) for name in names)]
    if np.prod([max(len(side), 1) for side in sides], dtype=float) > MOST_CELLS:
        raise UsageError(
            f"balance: {', '.join(names)} make more than {MOST_CELLS:,} cells: choose fewer attributes"
        )
    cells: dict[tuple[str, ...], list[str]] = {cell: [] for cell in product(*sides)}
    columns = np.column_stack([items.label, *(items.attributes[name].codes for name in names)])
    first, mixed, several = _images(items, columns)
    unknown = (columns[first, 1:] == MISSING).any(axis=1)
    for item in first[~mixed & ~unknown]:
        values = [items.attributes[name].values[items.attributes[name].codes[item]] for name in names]
        cells[(items.classes[items.label[item]], *values)].append(items.file(item))
    left_out = {
        "several classes": int(several.sum()),
        "several values": int((mixed & ~several).sum()),
        "a condition unknown": int((unknown & ~mixed).sum()),
    }
    return cells, left_out


def _used(items: Items, name: str) -> list[str]:
    column = items.attributes[name]
    return sorted(column.values[code] for code in np.unique(column.codes) if code != MISSING)


def _images(items: Items, columns: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """For each image: its first item, whether its items differ, and whether their classes differ."""
    first = np.full(len(items.images), -1)
    first[items.image[::-1]] = np.arange(len(items))[::-1]
    first, image = first[first >= 0], statistics.numbered(items.image)
    differs = columns != columns[first][image]
    mixed, several = np.zeros(len(first), dtype=bool), np.zeros(len(first), dtype=bool)
    mixed[image[differs.any(axis=1)]] = True
    several[image[differs[:, 0]]] = True
    return first, mixed, several


def _draw(files: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """Draw files at random. They are sorted before, so that the order of the export has no effect."""
    ordered = sorted(files)
    return [ordered[index] for index in rng.choice(len(ordered), size=count, replace=False)] if count else []


def _named(names: list[str], cell: tuple[str, ...]) -> Cell:
    return {"class": cell[0], **dict(zip(names, cell[1:], strict=True))}


def _collect(
    names: list[str], available: dict[tuple[str, ...], int], scarce: list[tuple[str, ...]]
) -> list[Cell]:
    """How many more images each scarce cell needs to reach the size of the next larger cell."""
    fuller = sorted(set(available.values()))[1:2]
    goal = fuller[0] if fuller else 0
    return [_named(names, cell) | {"more": goal - available[cell]} for cell in scarce if goal]
