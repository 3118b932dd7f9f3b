"""Finds the largest set of images in which class and conditions are independent, and what limits it.

Counts are independent when each is a product a(class) b(condition). For given a, the available images allow b
up to the least count/a of any class. The best a is searched one class at a time; for two classes it is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit.results import LeftOut

Cell = tuple[str, ...]
"""A class and a value of each condition."""
Numbers = NDArray[np.float64]
ROUNDS = 50
MOST_DROPPED = 4


def largest(available: dict[Cell, int]) -> dict[Cell, int]:
    """The number of images to take from each cell; every class gets the same mix, up to rounding."""
    classes = sorted({cell[0] for cell in available})
    mixes = sorted({cell[1:] for cell in available})
    counts = np.array(
        [[available.get((label, *mix), 0) for mix in mixes] for label in classes], dtype=np.float64
    )
    best = np.zeros_like(counts)
    for start in _starts(counts):
        taken = _ascended(counts, start)
        if taken.sum() > best.sum():
            best = taken
    whole = np.floor(best + 1e-9).astype(int)
    return {
        (label, *mix): int(whole[row, column])
        for row, label in enumerate(classes)
        for column, mix in enumerate(mixes)
    }  # fmt: skip


def _starts(counts: Numbers) -> Iterator[Numbers]:
    """The shares of classes at which the search starts: equal, those of all images, those of each mix."""
    if not counts.size or counts.shape[0] < 1:
        return
    yield np.ones(len(counts))
    for column in (counts.sum(axis=1), *counts.T[np.argsort(-counts.sum(axis=0))[:20]]):
        if (column > 0).all():
            yield column


def _taken(counts: Numbers, shares: Numbers) -> Numbers:
    return np.outer(shares, (counts / shares[:, None]).min(axis=0))


def _ascended(counts: Numbers, shares: Numbers) -> Numbers:
    """Improve the shares: one class at a time, to a value at which a mix is no longer limited by it."""
    shares = shares / shares.sum()
    best = _taken(counts, shares)
    for _ in range(ROUNDS):
        before = best.sum()
        for row in range(len(shares)):
            others = np.delete(np.arange(len(shares)), row)
            if not len(others):
                return counts
            limit = (counts[others] / shares[others, None]).min(axis=0)
            for share in np.unique(counts[row][limit > 0] / limit[limit > 0]):
                if share > 0:
                    trial = shares.copy()
                    trial[row] = share
                    taken = _taken(counts, trial)
                    if taken.sum() > best.sum() * (1 + 1e-12):
                        best, shares = taken, trial
        if best.sum() <= before * (1 + 1e-12):
            break
    return best


def leave_out(available: dict[Cell, int], names: list[str]) -> list[LeftOut]:
    """The classes or values to leave out so that no cell is empty: each step keeps the largest set."""
    steps: list[LeftOut] = []
    cells, counts = np.array(list(available), dtype=object), np.array(list(available.values()), dtype=int)
    while len(counts) and counts.min() == 0 and len(steps) < MOST_DROPPED:
        choices = list(_without(cells))
        if not choices:
            return []
        side, value, kept = max(choices, key=lambda one: _worth(counts[one[2]]))
        cells, counts = cells[kept], counts[kept]
        steps.append(LeftOut(names[side], value, int(counts.min()) * len(counts)))
    return steps if len(counts) and counts.min() else []


def _without(cells: NDArray[Any]) -> Iterator[tuple[int, str, NDArray[np.bool_]]]:
    """The cells that remain without one value of one side; a side keeps at least two values."""
    for side, column in enumerate(cells.T):
        values = sorted(set(column))
        for value in values if len(values) > 2 else ():
            yield side, value, column != value


def _worth(counts: NDArray[np.int64]) -> tuple[int, int, int]:
    """The order of steps: a larger set of equal cells first, then fewer empty cells, then more images."""
    return int(counts.min()) * len(counts), -int((counts == 0).sum()), int(counts.sum())
