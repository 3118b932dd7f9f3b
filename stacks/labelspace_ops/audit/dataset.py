"""Annotations as columns. The readers fill them; the other modules count them.

The values of an attribute are stored as small numbers, -1 where an annotation lacks it. A million annotations
with twenty attributes of at most 127 values each take 20 MB.
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
    smallest,
)
from labelspace_ops.core.errors import UsageError

Rows = NDArray[np.signedinteger[Any]]
"""Numbers per row in the smallest type that holds them: cast before arithmetic, which could overflow."""
JsonObject = dict[str, Any]
"""An object of a JSON document, or a row of a table, before it is checked."""
BUILT_IN = {"occluded", "rotation", "track_id", "keyframe", "outside"}
"""Attributes that CVAT adds to exports in the formats Datumaro and COCO."""
ABSORBED = ("images", "subsets", "cluster", "task", "frame", "sizes", "boxes", "occluded", "tag",
            "identity", "jobs", "notes")  # fmt: skip
"""The lists that a builder appends unchanged from another builder."""
MOST_ROWS = 20_000_000
MOST_CELLS = 2**30
"""The largest number of annotations times attributes; each takes one or two bytes."""
ALIKE = "each counts, but neighbours are alike, so that tests and intervals are surer than they should be"
NO_BOX = (float("nan"),) * 4
CLASS_FOLDERS = "folders of images"
"""The source of a dataset whose classes are the folders of its images."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Job:
    """A job of CVAT: the frames ``first`` to ``last`` of a task, and who annotates them."""

    name: str
    task: str
    """Its id in CVAT."""
    task_name: str
    first: int
    last: int
    annotator: str
    """User name; empty when nobody is assigned, or the export does not say."""


@dataclass(frozen=True)
class Dataset:
    """An export: its images in order, and a row per tag or object. A file annotated twice appears twice."""

    source: str
    images: list[str]
    subsets: list[str]
    """The subset of each image; empty when the export names none."""
    sizes: NDArray[np.int32]
    """Width and height of each image in pixels, 0 when unknown; shape (images, 2)."""
    cluster: list[str]
    """The video of each image; empty when the image is an independent sample."""
    labels: list[str]
    image: Rows
    label: Rows
    tag: NDArray[np.bool_]
    identity: Rows
    """The id of an object in its format if ids are usable, else its position within its image."""
    id_names: list[str]
    """The ids that are not numbers: identity -2 - n refers to the n-th of them."""
    box: NDArray[np.float32]
    """x, y, width, height in pixels, nan when unknown; shape (rows, 4)."""
    occluded: NDArray[np.int8]
    """1 (yes), 0 (no), or -1 when the format does not state it."""
    attributes: dict[str, Column]
    passed_over: dict[str, str]
    """Attributes that are not counted, with the reason."""
    image_ids: dict[str, int] = field(default_factory=dict)
    """Maps the format's id of an image to its index; empty when ids repeat between files."""
    category_ids: dict[str, str] = field(default_factory=dict)
    """Maps the format's id of a category to its name."""
    notes: list[str] = field(default_factory=list)
    pictures: NDArray[np.float64] | None = None
    """Brightness, saturation and hour of each image, if the images were read; shape (images, 3)."""
    task: list[str] = field(default_factory=list)
    """The id of each image's task; empty text for the only task."""
    frame: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    """The number of each image within its task, -1 when unknown."""
    jobs: tuple[Job, ...] = ()
    """The jobs that the export or the running project lists."""
    one_namespace: bool = False
    """Whether a path names the same image in every subset. This is so when all tasks read one share."""

    def keys(self) -> list[tuple[str, str]]:
        """The key of each image: subset and path, because subsets often use the same names."""
        subsets = [""] * len(self.images) if self.one_namespace else self.subsets
        return list(zip(subsets, self.images, strict=True))

    def base_name(self, name: str) -> str:
        """The name of an attribute without the prefix of its label."""
        return attribute_groups.base_name(name, self.labels)


class Builder:
    """Collects an export row by row. ``wanted`` attributes are kept regardless of their type."""

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
        self.image, self.label, self.tag, self.identity = array("i"), array("i"), array("b"), array("q")
        self.cluster: list[str] = []
        self.task: list[str] = []
        self.frame = array("i")
        self.jobs: list[Job] = []
        self._id_names: dict[str, int] = {}
        self._place = self._tracked = 0
        self._current = -1
        self._places: dict[int, int] = {}
        self.subset = ""
        self.shared_attributes = False
        """Whether a name is one attribute for all labels, as in formats without attributes of labels."""

    def declare_label(self, name: str) -> None:
        """Add a label of the schema, used or unused."""
        self.labels.setdefault(name, len(self.labels))

    def declare(self, label: str, name: str, input_type: str, values: Iterable[str] = ()) -> None:
        """Add an attribute of a label. Numbers and free text are counted only if the user named it."""
        self.declared.setdefault((label, name), Declared(input_type, tuple(values)))

    def add_image(
        self, name: str, *, subset: str = "", width: float = 0, height: float = 0, cluster: str = "",
        task: str = "", frame: int = -1,
    ) -> int:  # fmt: skip
        """Add an image, to which the next rows belong; return its index."""
        if len(self.images) >= MOST_ROWS:
            raise UsageError(f"annotations: more than {MOST_ROWS:,} images: export the tasks one by one")
        self.images.append(name)
        self.subsets.append(subset or self.subset)
        self.cluster.append(cluster)
        self.task.append(task)
        self.frame.append(frame)
        self.sizes.extend((int(width), int(height)))
        self.select(len(self.images) - 1)
        return self._current

    def select(self, image: int) -> None:
        """Select an image that was added before, to which the next rows belong. Tracks need this."""
        self._places[self._current] = self._place
        self._current, self._place = image, self._places.get(image, 0)

    def add(
        self, label: str, names: tuple[str, ...], values: Sequence[str], *, tag: bool,
        identity: object = None, box: Box = NO_BOX, occluded: int = -1,
    ) -> None:  # fmt: skip
        """Add a tag or an object of the last image, with its attributes; ``identity`` is the format's id."""
        block = self.block(label, names)
        codes = [vocabulary[value] for vocabulary, value in zip(block.vocabularies, values, strict=True)]
        self.add_row(block, codes, tag=tag, box=box, occluded=occluded)
        if identity is not None:
            self.identity[-1] = self._number(identity)

    def add_row(
        self, block: Block, codes: Sequence[int], *, tag: bool, box: Box = NO_BOX, occluded: int = -1
    ) -> None:
        """Add a tag or an object whose attributes are codes."""
        block.rows.append(len(self.label))
        block.extend(codes)
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
        self, label: str, attributes: JsonObject, *, tag: bool, identity: object = None, box: Box = NO_BOX
    ) -> None:
        """Add a tag or an object of a format that CVAT exports through Datumaro, which adds attributes."""
        own = {name: text(value) for name, value in attributes.items() if name not in BUILT_IN}
        self._tracked += "track_id" in attributes
        occluded = attributes.get("occluded")
        self.add(
            label, tuple(own), list(own.values()), tag=tag, identity=identity, box=box,
            occluded=-1 if occluded is None else int(bool(occluded)),
        )  # fmt: skip

    def block(self, label: str, names: tuple[str, ...]) -> Block:
        """The block that collects the rows of a label with these attributes."""
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
        """Append the rows that another builder read from the same file."""
        first_row, first_image = len(self.label), len(self.images)
        for name in ABSORBED:
            getattr(self, name).extend(getattr(other, name))
        labels = np.array([self.labels.setdefault(name, len(self.labels)) for name in other.labels], np.int32)
        if len(other.label):
            self.label.frombytes(labels[_array(other.label)].tobytes())
            self.image.frombytes((_array(other.image) + np.int32(first_image)).tobytes())
        for part, theirs in other.blocks.items():
            ours = self.block(*part)
            codes = theirs.matrix().astype(np.int16)
            for place, (own, known) in enumerate(zip(ours.vocabularies, theirs.vocabularies, strict=True)):
                full = [own.most] if len(known) >= own.most else []
                to = [own[value] for value in known] + full + [MISSING]
                codes[:, place] = np.array(to, dtype=np.int16)[codes[:, place]]
            ours.append(_array(theirs.rows) + np.int32(first_row), codes)

    def _number(self, identity: object) -> int:
        try:
            return int(str(identity))
        except ValueError:
            return -2 - self._id_names.setdefault(str(identity), len(self._id_names))

    def build(self, source: str) -> Dataset:
        """The complete export."""
        if self._tracked:
            self.notes.append(f"{self._tracked} objects are frames of tracks: {ALIKE}")
        attributes, passed_over = self._columns()
        return Dataset(
            source, self.images, self.subsets,
            _array(self.sizes).reshape(-1, 2), self.cluster, list(self.labels), _array(self.image),
            _small(self.label), _array(self.tag).view(np.bool_), _small(self.identity),
            list(self._id_names), _array(self.boxes).reshape(-1, 4), _array(self.occluded),
            attributes, passed_over, self.image_ids, self.category_ids, self.notes,
            task=self.task, frame=_array(self.frame), jobs=tuple(self.jobs),
        )  # fmt: skip

    def _columns(self) -> tuple[dict[str, Column], dict[str, str]]:
        """The attributes that are counted, by name, and the ignored ones with the reason."""
        groups, passed_over, notes = attribute_groups.group(
            self.vocabularies, self.declared, self.wanted, shared=self.shared_attributes
        )
        self.notes += notes
        rows = len(self.label)
        if rows * len(groups) > MOST_CELLS:
            raise UsageError(
                f"annotations: {rows:,} annotations with {len(groups):,} different attributes are too many"
                " to count: export the tasks one by one"
            )
        columns = {
            name: Column(np.full(rows, MISSING, dtype=smallest(len(group.values))), group.values)
            for name, group in groups.items()
        }
        of_part = {part: (name, group) for name, group in groups.items() for part in group.codes}
        while self.blocks:  # each is freed once it is counted
            _, block = self.blocks.popitem()
            where, codes = _array(block.rows).astype(np.intp), block.matrix()
            for place, one in enumerate(block.names):
                if (part := (block.label, one)) in of_part:
                    name, group = of_part[part]
                    columns[name].codes[where] = group.codes[part][codes[:, place]]
        return columns, passed_over


def _array(numbers: array[Any]) -> NDArray[Any]:
    """The numbers without a copy."""
    return np.frombuffer(numbers, dtype=numbers.typecode) if numbers else np.zeros(0, numbers.typecode)


def _small(numbers: array[Any]) -> Rows:
    """The numbers in the smallest type; one below -1 - a name instead of a number - counts as well."""
    found = _array(numbers)
    return found.astype(smallest(max(int(found.max()), -int(found.min())))) if len(found) else found


def text(value: Any) -> str:
    """The text of a JSON value, as CVAT writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
