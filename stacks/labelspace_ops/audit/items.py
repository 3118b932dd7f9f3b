"""What is audited: an item has a class and its attributes; it is an image's tag, or an object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import statistics
from labelspace_ops.audit.dataset import MISSING, Codes, Column, Dataset, Rows
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import AUDIT_LABEL, Choices


@dataclass(frozen=True)
class Items:
    """Columns with a row per item."""

    level: str
    images: list[str]
    image: Rows
    identity: Rows
    classes: list[str]
    label: Rows
    attributes: dict[str, Column]
    """The codes are MISSING where nobody knows."""
    coverage: dict[str, dict[str, object]]
    additional: list[str]
    unlabelled: int
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.label)

    def file(self, item: int) -> str:
        """The name of the item's image, as in the export."""
        return self.images[int(self.image[item])]

    def kind(self, name: str, choices: Choices) -> str:
        """Whether an attribute is a condition, protected, or not said to be either."""
        return (
            "protected"
            if name in choices.protected
            else "condition"
            if name in choices.condition
            else "unmarked"
        )


def find(dataset: Dataset, choices: Choices) -> Items:
    """The items of an export; raises ``UsageError`` for an attribute or label that it does not hold."""
    names = _attributes(dataset, choices)
    additional = _additional(dataset, names, choices)
    target = ~np.isin(dataset.label, additional)
    first = _first_copies(dataset.images, np.bincount(dataset.image[target], minlength=len(dataset.images)))
    target &= first[dataset.image]
    level = "image" if (target & dataset.tag).any() else "object"
    rows = np.flatnonzero(target & (dataset.tag == (level == "image")))
    rows = _once(dataset, rows) if level == "image" else rows
    full = {name: _filled(dataset, dataset.attributes[name], rows) for name in names}
    classes, label = _classes(dataset, rows, additional)
    return Items(
        level, dataset.images, dataset.image[rows], dataset.identity[rows], classes, label,
        {name: Column(column.known(), column.values) for name, column in full.items()},
        {name: _coverage(dataset, column, name) for name, column in full.items()},
        [dataset.labels[code] for code in additional], int(first.sum()) - len(np.unique(dataset.image[rows])),
        [*dataset.notes, *_duplicates(first)],
    )  # fmt: skip


def _attributes(dataset: Dataset, choices: Choices) -> list[str]:
    unheard = [name for name in choices.named if name not in dataset.attributes]
    if unheard:
        known = ", ".join(sorted(dataset.attributes)) or "none"
        raise UsageError(f"attribute: {unheard[0]!r} is not in the export; it has: {known}")
    if choices.condition or choices.protected:
        return list(choices.named)
    return list(dataset.attributes)


def _additional(dataset: Dataset, names: Iterable[str], choices: Choices) -> list[int]:
    """Labels that only carry attributes: so named, or tags that stand beside the classes of their images."""
    unheard = [name for name in choices.additional if name not in dataset.labels]
    if unheard:
        raise UsageError(f"label: {unheard[0]!r} is not in the export; it has: {', '.join(dataset.labels)}")
    told = {*choices.additional, AUDIT_LABEL}
    found = [code for code, label in enumerate(dataset.labels) if label in told]
    carries = np.zeros(len(dataset.label), dtype=bool)
    for name in names:
        carries |= dataset.attributes[name].codes != MISSING
    bearers = np.unique(dataset.label[carries & dataset.tag])
    plain = ~np.isin(dataset.label, np.unique(dataset.label[carries])) & ~np.isin(dataset.label, found)
    beside = np.unique(dataset.image[plain])
    for code in bearers:
        where = np.unique(dataset.image[(dataset.label == code) & dataset.tag])
        if code not in found and np.isin(where, beside).mean() >= 0.5:
            found.append(int(code))
    return found


def _first_copies(images: list[str], labelled: NDArray[Any]) -> NDArray[np.bool_]:
    """Of each file the first copy that has a class: a task that nobody annotated yet hides nothing."""
    place: dict[str, int] = {}
    for index, name in enumerate(images):
        if labelled[index] and not labelled[place.setdefault(name, index)]:
            place[name] = index
        place.setdefault(name, index)
    return np.array([place[name] == index for index, name in enumerate(images)], dtype=np.bool_)


def _duplicates(first: NDArray[np.bool_]) -> list[str]:
    count = int((~first).sum())
    return [f"{count} images are there more than once: the first copy with a class counts"] if count else []


def _once(dataset: Dataset, rows: Rows) -> Rows:
    """The same tag twice on an image is one."""
    pairs = dataset.image[rows] * (len(dataset.labels) + 1) + dataset.label[rows]
    kept: Rows = rows[np.sort(np.unique(pairs, return_index=True)[1])]
    return kept


def _classes(dataset: Dataset, rows: Rows, additional: list[int]) -> tuple[list[str], Rows]:
    used, label = np.unique(dataset.label[rows], return_inverse=True)
    return [dataset.labels[code] for code in used], label.astype(np.int64)


def _of_images(dataset: Dataset, column: Column) -> Codes:
    """An image's value: of the first tag on it that has one."""
    rows = np.flatnonzero(dataset.tag & (column.codes != MISSING))[::-1]
    values = np.full(len(dataset.images), MISSING, dtype=np.int16)
    values[dataset.image[rows]] = column.codes[rows]
    return values


def _filled(dataset: Dataset, column: Column, rows: Rows) -> Column:
    """A row's own value wins, else its image's."""
    of_row = _of_images(dataset, column)[dataset.image] if len(column.codes) else column.codes
    return Column(np.where(column.codes == MISSING, of_row, column.codes)[rows], column.values)


def _coverage(dataset: Dataset, column: Column, name: str) -> dict[str, object]:
    counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
    total, carried = len(column.codes), int(counts.sum())
    return {
        "items": total,
        "carried": carried,
        "coverage": carried / total if total else 0.0,
        "unknown": carried - int((column.known() != MISSING).sum()),
        "values": {value: int(count) for value, count in zip(column.values, counts, strict=True)},
        "agreement": _agreement(dataset, dataset.attributes[name]),
    }


def _agreement(dataset: Dataset, column: Column) -> dict[str, object] | None:
    """Where the same image was annotated twice: how often both said the same of it."""
    place: dict[str, int] = {}
    pairs = [
        (place[name], index)
        for index, name in enumerate(dataset.images)
        if place.setdefault(name, index) != index
    ]
    values = _of_images(dataset, column)
    first, second = values[[one for one, _ in pairs]], values[[two for _, two in pairs]]
    both = (first != MISSING) & (second != MISSING)
    if not both.any():
        return None
    same = float(np.mean(first[both] == second[both]))
    return {"items": int(both.sum()), "agreement": same, "kappa": statistics.kappa(first[both], second[both])}
