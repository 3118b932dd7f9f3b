"""The items that are audited. An item is an object, or a tag of an image, with a class and attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import conditions, levels, statistics
from labelspace_ops.audit.dataset import Dataset, Rows
from labelspace_ops.audit.results import Agreement, AuditedAttribute
from labelspace_ops.audit.vocabulary import MISSING, Codes, Column, smallest
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import AUDIT_LABEL, Choices

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Items:
    """Columns with a row per item."""

    level: str
    images: list[str]
    subsets: list[str]
    image: Rows
    identity: Rows
    id_names: list[str]
    classes: list[str]
    label: Rows
    cluster: Rows
    """Items of one cluster depend on each other: those of an image, of a video, or of a cluster attribute."""
    clustered_by: str
    box: NDArray[np.float32]
    attributes: dict[str, Column]
    """The codes are MISSING where the value is unknown."""
    measured: frozenset[str]
    """The attributes that are computed from the items instead of annotated."""
    coverage: dict[str, AuditedAttribute]
    additional: list[str]
    levels: dict[str, int]
    """The number of items of each level."""
    unlabelled: int
    image_ids: dict[str, int] = field(default_factory=dict)
    category_ids: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.label)

    def object_name(self, item: int) -> str:
        """The id of an item's object, as predictions name it; empty at image level."""
        return self.identity_text(int(self.identity[item]))

    def file(self, item: int) -> str:
        """The name of the item's image, as in the export."""
        return self.images[int(self.image[item])]

    def identity_text(self, number: int) -> str:
        """The text of an ``identity``; empty at image level."""
        if self.level == "image":
            return ""
        return self.id_names[-2 - number] if number < MISSING else str(number)

    def kind(self, name: str, choices: Choices) -> str:
        """Whether an attribute is a condition, protected, measured, or not marked as either."""
        if name in choices.protected:
            return "protected"
        if name in choices.condition:
            return "condition"
        return "measured" if name in self.measured else "unmarked"

    @property
    def several_labels(self) -> bool:
        """Whether images have several classes as tags. Each label is then evaluated separately."""
        return self.level == "image" and len(np.unique(self.image)) < len(self.image)

    def recorded(self) -> list[str]:
        """The attributes that were annotated."""
        return [name for name in self.attributes if name not in self.measured]


def resolved(dataset: Dataset, choices: Choices) -> dict[str, tuple[str, ...]]:
    """Maps each name that the user gave to the full names of all attributes with that name."""
    known = [*dataset.attributes, *conditions.names(dataset)]
    found: dict[str, tuple[str, ...]] = {}
    for name in choices.named:
        fits = tuple(one for one in known if name in {one, dataset.base_name(one)})
        if not fits:
            has = ", ".join(sorted(dataset.attributes)) or "none"
            passed = f" (passed over: {', '.join(dataset.passed_over)})" if dataset.passed_over else ""
            raise UsageError(f"attribute: {name!r} is not in the export; it has: {has}{passed}")
        found[name] = (name,) if name in fits else fits
    return found


def find(dataset: Dataset, choices: Choices) -> Items:
    """The items of an export; raises ``UsageError`` for an attribute or label that it does not hold."""
    additional = _additional(dataset, choices)
    level = levels.choose(dataset, additional, choices.level)
    target = level.target(dataset)
    first = _first_copies(dataset, np.bincount(dataset.image[target], minlength=len(dataset.images)))
    every = np.flatnonzero(target & first[dataset.image])
    rows = _once(dataset, every) if level.name == "image" else every
    columns = conditions.gather(dataset, rows, level, additional, choices)
    names = _wanted(columns, choices)
    full = {name: columns[name] for name in names}
    repeated = _repeated(dataset)
    classes, label = _classes(dataset, rows)
    cluster, clustered_by = _clusters(dataset, rows, columns, choices)
    return Items(
        level.name, *_names(dataset), _taken(dataset.image, rows), _taken(dataset.identity, rows),
        dataset.id_names, classes, label, cluster, clustered_by, _taken(dataset.box, rows),
        {name: Column(column.known(choices.unknown), column.values) for name, column in full.items()},
        frozenset(columns.measured & set(names)),
        {name: _coverage(dataset, column, name, choices, repeated) for name, column in full.items()},
        [dataset.labels[code] for code in additional if dataset.labels[code]], level.counts,
        int(first.sum()) - len(np.unique(dataset.image[rows])), dataset.image_ids, dataset.category_ids,
        [*dataset.notes, *level.notes, *columns.notes,
         *_left_out(dataset, first, target, len(every) - len(rows)), *_suspect(full, choices)],
    )  # fmt: skip


def _taken(column: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """The rows of a column; the column itself if they are all rows."""
    return column if len(rows) == len(column) else column[rows]


def _wanted(columns: conditions.Conditions, choices: Choices) -> list[str]:
    """The attributes that the user named as condition or protected, else all attributes."""
    if choices.condition or choices.protected:
        return [name for name in choices.named if name in columns]
    return list(columns)


def _additional(dataset: Dataset, choices: Choices) -> list[int]:
    """Codes of labels that only carry attributes: named labels, or tags of images that also have a class."""
    unheard = [name for name in choices.additional if name not in dataset.labels]
    if unheard:
        raise UsageError(f"label: {unheard[0]!r} is not in the export; it has: {', '.join(dataset.labels)}")
    named = {*choices.additional, AUDIT_LABEL, ""}
    found = [code for code, label in enumerate(dataset.labels) if label in named]
    carries = np.zeros(len(dataset.label), dtype=bool)
    for column in dataset.attributes.values():
        carries |= column.codes != MISSING
    bearers = np.unique(dataset.label[carries & dataset.tag])
    plain = ~np.isin(dataset.label, np.unique(dataset.label[carries])) & ~np.isin(dataset.label, found)
    plain |= ~dataset.tag
    class_images = np.unique(dataset.image[plain])
    for code in bearers:
        where = np.unique(dataset.image[(dataset.label == code) & dataset.tag])
        if code not in found and np.isin(where, class_images).mean() >= 0.5:
            found.append(int(code))
    return found


def _names(dataset: Dataset) -> tuple[list[str], list[str]]:
    """The path and subset of each image; a path that two subsets use is prefixed with its subset."""
    keys, subset_of = dataset.keys(), dict[str, str]()
    shared = {name for subset, name in keys if subset_of.setdefault(name, subset) != subset}
    names = [f"{subset}/{name}" if name in shared else name for subset, name in keys]
    return names, dataset.subsets


def _first_copies(dataset: Dataset, labelled: NDArray[Any]) -> Flags:
    """Flags the first copy of each file with a class, so that a task without annotations hides nothing."""
    place: dict[tuple[str, str], int] = {}
    keys = dataset.keys()
    for index, key in enumerate(keys):
        if labelled[index] and not labelled[place.setdefault(key, index)]:
            place[key] = index
        place.setdefault(key, index)
    return np.array([place[key] == index for index, key in enumerate(keys)], dtype=np.bool_)


def _left_out(dataset: Dataset, first: Flags, target: Flags, repeated: int) -> list[str]:
    """Notes on copies of images, repeated tags of an image, and annotations without a label."""
    copies, lost = int((~first).sum()), int((target & ~first[dataset.image]).sum())
    nameless = [code for code, label in enumerate(dataset.labels) if not label]
    unnamed = int(np.isin(dataset.label, nameless).sum())
    items = f" ({lost:,} items of the other copies are left out)" if lost else ""
    said = {
        f"{copies} images are there more than once: the first copy with a class counts{items}": copies,
        f"{repeated:,} tags repeat a tag of their image: each counts once": repeated,
        f"{unnamed:,} annotations have no label: left out": unnamed,
    }
    return [note for note, count in said.items() if count]


def _suspect(columns: dict[str, Column], choices: Choices) -> list[str]:
    """Notes on values that may mean unknown."""
    known, notes = {value.lower() for value in choices.unknown}, []
    for name, column in columns.items():
        used = set(np.unique(column.codes).tolist())
        values = [value for code, value in enumerate(column.values) if code in used]
        as_unknown = [value for value in values if value.strip().lower() in {"nan", "n/a", "null", "?", "-"}]
        unsure = [value for value in values if value.strip().lower() in {"none", "na", "other", "undefined"}
                  and value.lower() not in known]  # fmt: skip
        if as_unknown:
            notes.append(f"attribute {name}: {', '.join(as_unknown)} count as unknown")
        if unsure:
            notes.append(
                f"attribute {name}: {', '.join(unsure)} may mean unknown: if so, add --unknown {unsure[0]}"
            )
    return notes


def _once(dataset: Dataset, rows: Rows) -> Rows:
    """The rows without repeated tags of an image."""
    pairs = dataset.image[rows].astype(np.int64) * (len(dataset.labels) + 1) + dataset.label[rows]
    kept: Rows = rows[np.sort(np.unique(pairs, return_index=True)[1])]
    return kept


def _classes(dataset: Dataset, rows: Rows) -> tuple[list[str], Rows]:
    used, label = np.unique(dataset.label[rows], return_inverse=True)
    return [dataset.labels[code] for code in used], label.astype(smallest(len(used)))


def _clusters(
    dataset: Dataset, rows: Rows, columns: conditions.Conditions, choices: Choices
) -> tuple[Rows, str]:
    """A cluster number per item, equal for items that depend on each other, and the kind of cluster."""
    image = dataset.image[rows]
    if choices.cluster:
        name = resolved(dataset, choices)[choices.cluster][0]
        codes = columns[name].codes.astype(np.int64)
        alone = len(columns[name].values) + image
        return _numbered(np.where(codes == MISSING, alone, codes)), name
    if any(dataset.cluster):
        numbers: dict[str, int] = {}
        videos = np.array(
            [
                numbers.setdefault(one or f"image {index}", len(numbers))
                for index, one in enumerate(dataset.cluster)
            ]
        )
        return _numbered(videos[image]), "video"
    return _numbered(image), "image"


def _numbered(groups: Rows) -> Rows:
    """The groups numbered from 0 without gaps, in their order."""
    return statistics.numbered(groups).astype(np.int32)


def _coverage(
    dataset: Dataset, column: Column, name: str, choices: Choices, repeated: list[tuple[int, int]]
) -> AuditedAttribute:
    counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
    total, carried = len(column.codes), int(counts.sum())
    own = dataset.attributes.get(name)
    return AuditedAttribute(
        kind="unmarked",
        items=total,
        carried=carried,
        coverage=carried / total if total else 0.0,
        unknown=carried - int((column.known(choices.unknown) != MISSING).sum()),
        values={value: int(count) for value, count in zip(column.values, counts, strict=True)},
        agreement=_agreement(dataset, own, repeated) if repeated and own is not None else None,
    )


def _repeated(dataset: Dataset) -> list[tuple[int, int]]:
    """Pairs of copies of one image."""
    place: dict[tuple[str, str], int] = {}
    keys = enumerate(dataset.keys())
    return [(place[key], index) for index, key in keys if place.setdefault(key, index) != index]


def _agreement(dataset: Dataset, column: Column, pairs: list[tuple[int, int]]) -> Agreement | None:
    """How often two annotations of the same image agree; None without a pair of known values."""
    values = conditions.of_images(dataset, column, dataset.tag)
    first, second = values[[one for one, _ in pairs]], values[[two for _, two in pairs]]
    both = (first != MISSING) & (second != MISSING)
    if not both.any():
        return None
    same = float(np.mean(first[both] == second[both]))
    return Agreement(int(both.sum()), same, statistics.kappa(first[both], second[both]))


def codes_of(items: Items, names: Iterable[str]) -> list[Codes]:
    """The codes of the named attributes, in order."""
    return [items.attributes[name].codes for name in names]
