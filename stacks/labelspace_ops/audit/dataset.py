"""Annotations as columns: what the readers fill and everything else counts.

An attribute's values are small numbers, -1 where an annotation lacks it: a million annotations with twenty
attributes take 40 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import attribute_groups
from labelspace_ops.audit.vocabulary import (
    CATEGORICAL,
    MISSING,
    Block,
    Column,
    Declared,
    Ignored,
    Numbers,
    Vocabulary,
)
from labelspace_ops.core.errors import UsageError

Rows = NDArray[np.int64]
BUILT_IN = {"occluded", "rotation", "track_id", "keyframe", "outside"}
"""Attributes that CVAT writes by itself into Datumaro and COCO."""
MOST_ROWS = 20_000_000
MOST_CELLS = 2**30
"""Annotations times attributes: two bytes each."""
ALIKE = "each counts, but neighbours are alike, so that tests and intervals are surer than they should be"
NO_BOX = (float("nan"),) * 4
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Dataset:
    """An export: its images in order (a file annotated twice appears twice), and a row per tag or object."""

    source: str
    images: list[str]
    subsets: list[str]
    """The subset of each image; empty when the export names none."""
    sizes: NDArray[np.int32]
    """Width and height of each image in pixels, 0 when unknown; shape (images, 2)."""
    cluster: list[str]
    """The video of each image; empty: the image is a sample of its own."""
    labels: list[str]
    image: Rows
    label: Rows
    tag: NDArray[np.bool_]
    identity: Rows
    """An object's id in its format when those are usable, else its place within its image."""
    id_names: list[str]
    """Ids that are no numbers: identity -2 - n is the n-th of them."""
    box: NDArray[np.float32]
    """x, y, width, height in pixels, nan when unknown; shape (rows, 4)."""
    occluded: NDArray[np.int8]
    """1, 0, or -1 when the format does not say."""
    attributes: dict[str, Column]
    passed_over: dict[str, str]
    """Attributes that are not counted, with the reason."""
    image_ids: dict[str, int] = field(default_factory=dict)
    """The format's id of an image to its index; empty when ids repeat between files."""
    category_ids: dict[str, str] = field(default_factory=dict)
    """The format's id of a category to its name."""
    notes: list[str] = field(default_factory=list)
    pictures: NDArray[np.float64] | None = None
    """Brightness, saturation and hour of each image, when the images are at hand; shape (images, 3)."""
    one_namespace: bool = False
    """Whether a path names the same image in every subset, as it does when all tasks read one share."""

    def keys(self) -> list[tuple[str, str]]:
        """What identifies each image: its subset and path, as two subsets often use the same names."""
        subsets = [""] * len(self.images) if self.one_namespace else self.subsets
        return list(zip(subsets, self.images, strict=True))

    def base_name(self, name: str) -> str:
        """The name of an attribute without the label that tells it apart from others of that name."""
        return attribute_groups.base_name(name, self.labels)


class Builder:
    """Collects an export row by row; ``wanted`` attributes are kept whatever their type."""

    def __init__(self, wanted: Iterable[str] = (), binned: Iterable[str] = ()) -> None:
        self.images: list[str] = []
        self.subsets: list[str] = []
        self.notes: list[str] = []
        self.image_ids: dict[str, int] = {}
        self.category_ids: dict[str, str] = {}
        self.wanted, self.binned = set(wanted), set(binned)
        self.declared: dict[tuple[str, str], Declared] = {}
        self.labels: dict[str, int] = {}
        self.vocabularies: dict[tuple[str, str], Vocabulary] = {}
        self.blocks: dict[tuple[str, tuple[str, ...]], Block] = {}
        self.sizes, self.boxes, self.occluded = array("i"), array("f"), array("b")
        self.image, self.label, self.tag, self.identity = array("q"), array("i"), array("b"), array("q")
        self.cluster: list[str] = []
        self._id_names: dict[str, int] = {}
        self._place = self._tracked = 0
        self._current = -1
        self._places: dict[int, int] = {}
        self.subset = ""
        self.shared_attributes = False
        """Whether one name is one attribute, as in formats whose attributes do not belong to labels."""

    def declare_label(self, name: str) -> None:
        """A label of the schema, whether or not it is used."""
        self.labels.setdefault(name, len(self.labels))

    def declare(self, label: str, name: str, input_type: str, values: Iterable[str] = ()) -> None:
        """An attribute of a label: numbers and free text are not counted unless asked for."""
        self.declared.setdefault((label, name), Declared(input_type, tuple(values)))

    def add_image(
        self, name: str, *, subset: str = "", width: float = 0, height: float = 0, cluster: str = ""
    ) -> int:
        """The next rows belong to this image; returns its index."""
        if len(self.images) >= MOST_ROWS:
            raise UsageError(f"annotations: more than {MOST_ROWS:,} images: export the tasks one by one")
        self.images.append(name)
        self.subsets.append(subset or self.subset)
        self.cluster.append(cluster)
        self.sizes.extend((int(width), int(height)))
        self.select(len(self.images) - 1)
        return self._current

    def select(self, image: int) -> None:
        """The next rows belong to an image that was added before: tracks come one after the other."""
        self._places[self._current] = self._place
        self._current, self._place = image, self._places.get(image, 0)

    def add(
        self, label: str, names: tuple[str, ...], values: Sequence[str], *, tag: bool,
        identity: object = None, box: Box = NO_BOX, occluded: int = -1,
    ) -> None:  # fmt: skip
        """A tag or an object of the last image, with its attributes; ``identity``: the format's own id."""
        block = self.block(label, names)
        codes = [vocabulary[value] for vocabulary, value in zip(block.vocabularies, values, strict=True)]
        self.add_row(block, codes, tag=tag, box=box, occluded=occluded)
        if identity is not None:
            self.identity[-1] = self._number(identity)

    def add_row(
        self, block: Block, codes: Iterable[int], *, tag: bool, box: Box = NO_BOX, occluded: int = -1
    ) -> None:
        """The same with attributes that are codes already."""
        block.rows.append(len(self.label))
        block.codes.extend(codes)
        self.image.append(self._current)
        self.label.append(self.labels.setdefault(block.label, len(self.labels)))
        self.tag.append(tag)
        self.identity.append(MISSING if tag else self._place)
        self._place += not tag
        self.boxes.extend(box)
        self.occluded.append(occluded)
        if len(self.label) > MOST_ROWS:
            raise UsageError(f"annotations: more than {MOST_ROWS:,} annotations: export the tasks one by one")

    def add_of_format(
        self, label: str, attributes: dict[str, Any], *, tag: bool, identity: object = None, box: Box = NO_BOX
    ) -> None:
        """The same from a format that CVAT's exporter writes by way of Datumaro, with its own attributes."""
        own = {name: text(value) for name, value in attributes.items() if name not in BUILT_IN}
        self._tracked += "track_id" in attributes
        occluded = attributes.get("occluded")
        self.add(
            label, tuple(own), list(own.values()), tag=tag, identity=identity, box=box,
            occluded=-1 if occluded is None else int(bool(occluded)),
        )  # fmt: skip

    def block(self, label: str, names: tuple[str, ...]) -> Block:
        """Where rows of a label with these attributes are collected."""
        found = self.blocks.get((label, names))
        if found is None:
            vocabularies = [self._vocabulary(label, name) for name in names]
            found = self.blocks[label, names] = Block(label, names, vocabularies)
        return found

    def _vocabulary(self, label: str, name: str) -> Vocabulary:
        if (label, name) not in self.vocabularies:
            declared = self.declared.get((label, name), Declared()).input_type
            wanted = name in self.wanted or f"{label}.{name}" in self.wanted
            kind: type[Vocabulary] = Vocabulary
            if name in self.binned or (declared == "number" and wanted):
                kind = Numbers
            elif declared and declared not in CATEGORICAL and not wanted:
                kind = Ignored
            self.vocabularies[label, name] = kind()
        return self.vocabularies[label, name]

    def absorb(self, other: Builder) -> None:
        """Append what another builder read of the same file."""
        first_row, first_image = len(self.label), len(self.images)
        for name in ("images", "subsets", "cluster", "sizes", "boxes", "occluded", "tag", "identity"):
            getattr(self, name).extend(getattr(other, name))
        labels = np.array([self.labels.setdefault(name, len(self.labels)) for name in other.labels])
        if len(other.label):
            self.label.extend(array("i", labels[np.array(other.label)].tolist()))
            self.image.extend(array("q", (np.array(other.image) + first_image).tolist()))
        for part, theirs in other.blocks.items():
            ours = self.block(*part)
            ours.rows.frombytes((np.array(theirs.rows, dtype=np.int64) + first_row).tobytes())
            codes = np.array(theirs.codes, dtype=np.int16).reshape(len(theirs.rows), len(theirs.names))
            for place, (own, known) in enumerate(zip(ours.vocabularies, theirs.vocabularies, strict=True)):
                full = [own.most] if len(known) >= own.most else []
                to = [own[value] for value in known] + full + [MISSING]
                codes[:, place] = np.array(to, dtype=np.int16)[codes[:, place]]
            ours.codes.frombytes(codes.tobytes())
        self.notes.extend(other.notes)

    def _number(self, identity: object) -> int:
        try:
            return int(str(identity))
        except ValueError:
            return -2 - self._id_names.setdefault(str(identity), len(self._id_names))

    def build(self, source: str) -> Dataset:
        """The export, complete."""
        if self._tracked:
            self.notes.append(f"{self._tracked} objects are frames of tracks: {ALIKE}")
        attributes, passed_over = self._columns()
        return Dataset(
            source, self.images, self.subsets,
            np.array(self.sizes, dtype=np.int32).reshape(-1, 2), self.cluster, list(self.labels),
            np.array(self.image, dtype=np.int64), np.array(self.label, dtype=np.int64),
            np.array(self.tag, dtype=bool), np.array(self.identity, dtype=np.int64), list(self._id_names),
            np.array(self.boxes, dtype=np.float32).reshape(-1, 4), np.array(self.occluded, dtype=np.int8),
            attributes, passed_over, self.image_ids, self.category_ids, self.notes,
        )  # fmt: skip

    def _columns(self) -> tuple[dict[str, Column], dict[str, str]]:
        """The attributes that are counted, by name, and those passed over with the reason."""
        groups, passed_over = attribute_groups.group(
            self.vocabularies, self.declared, self.wanted, shared=self.shared_attributes
        )
        rows = len(self.label)
        if rows * len(groups) > MOST_CELLS:
            raise UsageError(
                f"annotations: {rows:,} annotations with {len(groups):,} different attributes are too many"
                " to count: export the tasks one by one"
            )
        columns = {
            name: Column(np.full(rows, MISSING, dtype=np.int16), group.values)
            for name, group in groups.items()
        }
        of_part = {part: (name, group) for name, group in groups.items() for part in group.codes}
        for block in self.blocks.values():
            where = np.array(block.rows, dtype=np.int64)
            codes = np.array(block.codes, dtype=np.int16).reshape(len(where), len(block.names))
            for place, one in enumerate(block.names):
                if (part := (block.label, one)) in of_part:
                    name, group = of_part[part]
                    columns[name].codes[where] = group.codes[part][codes[:, place]]
        return columns, passed_over


def text(value: Any) -> str:
    """A value of JSON as CVAT writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
