"""The level of an audit: objects, or tags of images. A note names what is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit.dataset import Dataset
from labelspace_ops.audit.vocabulary import shortened
from labelspace_ops.core.errors import UsageError

PREFERS_TAGS = 2.0
"""Tags are audited when they cover more than this many times as many images as objects do."""


@dataclass(frozen=True)
class Level:
    """Which rows are items."""

    name: str
    additional: list[int]
    """Codes of labels that only carry attributes."""
    counts: dict[str, int]
    notes: list[str]

    def target(self, dataset: Dataset) -> NDArray[np.bool_]:
        """The rows that are items."""
        return _target(dataset, self.additional, self.name)


def _target(dataset: Dataset, additional: list[int], name: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = ~np.isin(dataset.label, additional) & (dataset.tag == (name == "image"))
    return found


def choose(dataset: Dataset, additional: list[int], wanted: str) -> Level:
    """The level that the user chose, else the level that describes more images."""
    rows = {name: _target(dataset, additional, name) for name in ("object", "image")}
    counts = {name: int(one.sum()) for name, one in rows.items()}
    images = {name: len(np.unique(dataset.image[one])) for name, one in rows.items()}
    if wanted and not counts[wanted] and any(counts.values()):
        other = "image" if wanted == "object" else "object"
        raise UsageError(
            f"level: no {_what(wanted)} here, but {counts[other]:,} {_what(other)}: use --level {other}"
        )
    by_tags = not counts["object"] or images["image"] > PREFERS_TAGS * images["object"]
    name = wanted or ("image" if by_tags and counts["image"] else "object")
    if not any(counts.values()):
        name = wanted or "object"
    return Level(name, additional, counts, _notes(dataset, additional, name, rows, counts))


def _what(level: str) -> str:
    return "objects" if level == "object" else "tags of images"


def _notes(
    dataset: Dataset,
    additional: list[int],
    name: str,
    rows: dict[str, NDArray[np.bool_]],
    counts: dict[str, int],
) -> list[str]:
    other = "image" if name == "object" else "object"
    if not counts[other] or not counts[name]:
        return []
    labels = [dataset.labels[code] for code in np.unique(dataset.label[rows[other]])]
    use = "are conditions of the objects here" if name == "object" else "are not used here"
    return [
        f"{counts[other]:,} {_what(other)} ({shortened(labels)}) {use}: audit them as classes with"
        f" --level {other}"
    ]
