"""Annotations as columns: what the readers fill and everything else counts.

An attribute's values are small numbers, -1 where an annotation lacks it: a million annotations with twenty
attributes take 40 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.core.errors import UsageError

Codes = NDArray[np.int16]
Rows = NDArray[np.int64]
MISSING = -1
BUILT_IN = {"occluded", "rotation", "track_id", "keyframe", "outside"}
"""Attributes that CVAT writes by itself into Datumaro and COCO."""
MOST_VALUES = 1000
"""An attribute with more different values is free text, nothing to count by."""
MOST_ROWS = 20_000_000
MOST_CELLS = 2**30
"""Annotations times attributes: two bytes each."""
LONGEST_VALUE = 4096
"""CVAT 2.73 keeps no longer value of an attribute (``AttributeVal``, ``cvat/apps/engine/models.py``)."""
CATEGORICAL = {"select", "radio", "checkbox"}
UNKNOWN = {"", "unknown", "__undefined__"}
"""Values, in lower case, that say the annotator could not tell."""
ALIKE = "each counts, but neighbours are alike, so that tests and intervals are surer than they should be"
"""What frames of a video and of a track have in common: they are no independent samples."""


@dataclass(frozen=True)
class Column:
    """One attribute: a code per row, MISSING or an index into ``values``."""

    codes: Codes
    values: list[str]

    def known(self) -> Codes:
        """The codes, with MISSING where the value says that nobody could tell."""
        vague = [code for code, value in enumerate(self.values) if value.strip().lower() in UNKNOWN]
        return np.where(np.isin(self.codes, vague), np.int16(MISSING), self.codes)


@dataclass(frozen=True)
class Dataset:
    """An export: its images in order (a file annotated twice stands twice), and a row per tag or object."""

    source: str
    images: list[str]
    labels: list[str]
    image: Rows
    label: Rows
    tag: NDArray[np.bool_]
    identity: Rows
    """An object's number: its place within its image, or what the format calls its id."""
    attributes: dict[str, Column]
    notes: list[str] = field(default_factory=list)


class Vocabulary(dict[str, int]):
    """Values as they come, numbered; past MOST_VALUES all further ones share a number."""

    def __missing__(self, value: str) -> int:
        if len(value) > LONGEST_VALUE:
            raise UsageError(
                f"annotations: a value of an attribute has {len(value):,} characters, which CVAT never writes"
            )
        if len(self) >= MOST_VALUES:
            return MOST_VALUES
        self[value] = code = len(self)
        return code


class Ignored(Vocabulary):
    """The values of an attribute that nobody counts by."""

    def __missing__(self, value: str) -> int:
        return MISSING


class _Block:
    """The rows that carry the same attributes in the same order."""

    def __init__(self, vocabularies: list[Vocabulary]) -> None:
        self.vocabularies = vocabularies
        self.rows, self.codes = array("q"), array("h")


class Builder:
    """Collects an export row by row; ``wanted`` attributes are kept whatever their type."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self.images: list[str] = []
        self.notes: list[str] = []
        self._tracked = 0
        self._wanted = set(wanted)
        self._labels: dict[str, int] = {}
        self._vocabularies: dict[str, Vocabulary] = {}
        self._blocks: dict[tuple[str, ...], _Block] = {}
        self._columns = tuple(array("q") for _ in range(4))

    def declare_label(self, name: str) -> None:
        """A label of the schema, whether or not it is used."""
        self._labels.setdefault(name, len(self._labels))

    def declare(self, name: str, input_type: str) -> None:
        """An attribute of the schema: numbers and free text are not counted by."""
        ignored = input_type not in CATEGORICAL and name not in self._wanted
        self._vocabularies.setdefault(name, Ignored() if ignored else Vocabulary())

    def add_image(self, name: str) -> None:
        """The next rows belong to this image."""
        if len(self.images) >= MOST_ROWS:
            raise UsageError(f"annotations: more than {MOST_ROWS:,} images: export the tasks one by one")
        self.images.append(name)

    def add(
        self, label: str, names: tuple[str, ...], values: list[str], *, tag: bool, identity: int = MISSING
    ) -> None:
        """A tag or an object of the last image, with its attributes."""
        image, labels, tags, identities = self._columns
        block = self._blocks.get(names) or self._block(names)
        block.rows.append(len(labels))
        block.codes.extend(
            [vocabulary[value] for vocabulary, value in zip(block.vocabularies, values, strict=True)]
        )
        image.append(len(self.images) - 1)
        labels.append(self._labels.setdefault(label, len(self._labels)))
        tags.append(tag)
        identities.append(identity)
        if len(labels) > MOST_ROWS:
            raise UsageError(f"annotations: more than {MOST_ROWS:,} annotations: export the tasks one by one")

    def add_of_format(self, label: str, attributes: dict[str, Any], *, tag: bool, identity: int) -> None:
        """The same from a format that CVAT's exporter writes by way of Datumaro, with its own attributes."""
        own = {name: text(value) for name, value in attributes.items() if name not in BUILT_IN}
        self._tracked += "track_id" in attributes
        self.add(label, tuple(own), list(own.values()), tag=tag, identity=identity)

    def _block(self, names: tuple[str, ...]) -> _Block:
        found = [self._vocabularies.setdefault(name, Vocabulary()) for name in names]
        self._blocks[names] = block = _Block(found)
        return block

    def build(self, source: str) -> Dataset:
        """The export, complete."""
        image, label, tag, identity = (np.array(column, dtype=np.int64) for column in self._columns)
        if self._tracked:
            self.notes.append(f"{self._tracked} objects are frames of tracks: {ALIKE}")
        return Dataset(
            source, self.images, list(self._labels), image, label, tag.astype(bool), identity,
            self._attributes(len(label)), self.notes,
        )  # fmt: skip

    def _attributes(self, rows: int) -> dict[str, Column]:
        counted = {
            name: vocabulary
            for name, vocabulary in self._vocabularies.items()
            if not isinstance(vocabulary, Ignored)
        }
        if rows * len(counted) > MOST_CELLS:
            raise UsageError(
                f"annotations: {rows:,} annotations with {len(counted):,} different attributes are too many"
                " to count: export the tasks one by one"
            )
        columns = {
            name: Column(np.full(rows, MISSING, dtype=np.int16), list(vocabulary))
            for name, vocabulary in counted.items()
        }
        for names, block in self._blocks.items():
            codes = np.array(block.codes, dtype=np.int16).reshape(len(block.rows), len(names))
            where = np.array(block.rows, dtype=np.int64)
            for place, name in enumerate(names):
                if name in columns:
                    columns[name].codes[where] = codes[:, place]
        return {name: column for name, column in columns.items() if self._countable(name, column)}

    def _countable(self, name: str, column: Column) -> bool:
        if len(column.values) < MOST_VALUES:
            return True
        self.notes.append(f"attribute {name}: {MOST_VALUES} different values or more, left out")
        return False


def text(value: Any) -> str:
    """A value of JSON as CVAT writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
