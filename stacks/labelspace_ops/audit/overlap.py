"""Matches boxes of a model with boxes of annotators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit.predictions import Prediction

Boxes = NDArray[np.float64]


def iou(first: Boxes, second: Boxes) -> Boxes:
    """Intersection over union of each pair of boxes given as x, y, width, height; shape (first, second)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, :2] + first[:, None, 2:], second[None, :, :2] + second[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = np.prod(first[:, 2:], axis=1)[:, None] + np.prod(second[:, 2:], axis=1)[None, :]
    ratio: Boxes = np.divide(common, areas - common, out=np.zeros_like(common), where=areas - common > 0)
    return ratio


def match(
    boxes: Any, labels: Any, rows: list[Prediction], codes: dict[str, int], least: float
) -> list[tuple[int, int]]:
    """Pairs of an object and a prediction. As in COCO's evaluation, higher scores are matched first.

    A box of another class is paired with an overlapping object last; it counts as a confusion.
    """
    if not len(rows) or not len(labels):
        return []
    ratios = iou(np.asarray(boxes, dtype=np.float64), np.array([row.box for row in rows], dtype=np.float64))
    order = sorted(range(len(rows)), key=lambda place: -(rows[place].score or 0.0))
    same = np.asarray(labels)[:, None] == np.array([codes[row.label] for row in rows])[None, :]
    free, left = np.ones(len(labels), dtype=bool), list[int]()
    pairs: list[tuple[int, int]] = []
    for allowed, places in ((same, order), (~same, left)):
        for place in places:
            fits = np.where(free & allowed[:, place], ratios[:, place], 0.0)
            best = int(fits.argmax())
            if fits[best] >= least:
                free[best] = False
                pairs.append((best, place))
            elif allowed is same:
                left.append(place)
    return pairs
