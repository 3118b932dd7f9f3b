"""Detects the format of an export and reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labelspace_ops.audit.dataset import CLASS_FOLDERS, Builder, Dataset, JsonObject
from labelspace_ops.audit.files import MOST_SILENCE, READ, Bounded, Files, opened
from labelspace_ops.audit.readers import (
    coco,
    cvat_fast,
    cvat_xml,
    datumaro,
    label_studio,
    table,
    voc,
    yolo,
)
from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.library_errors import reason

MOST_JSON = 512 * 2**20
"""The largest JSON file in bytes. JSON is read whole, which takes about ten times its size in memory."""
IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
CONFIG = {"data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "coco.yaml"}
LIST_FILES = {"train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "requirements.txt"}
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


def read(path: Path, wanted: Iterable[str] = (), binned: Iterable[str] = ()) -> Dataset:
    """The annotations of a file, zip file or folder; raises ``UsageError`` when it holds none."""
    with opened(path) as files:
        return _Reading(files, tuple(wanted), tuple(binned)).read()


class _Reading:
    """One export while it is read."""

    def __init__(self, files: Files, wanted: tuple[str, ...], binned: tuple[str, ...]) -> None:
        self.files, self._arguments = files, (wanted, binned)
        self.builder = Builder(wanted, binned)

    def read(self) -> Dataset:
        """Read the first format that the names of the files fit."""
        for find, fill in self._formats():
            names = find()
            if names:
                kind = fill(names)
                return self.builder.build(kind)
        raise UsageError(
            f"annotations: {self.files.path.resolve().name} holds no annotations.xml, no annotations/*.json"
            f" and nothing else that is read: expected {READ}"
        )

    def _formats(self) -> list[tuple[Callable[[], list[str]], Callable[[list[str]], str]]]:
        return [
            (self._given, self._one),
            (lambda: self._named(lambda name: name.rsplit("/", 1)[-1] == "annotations.xml"), self._many),
            (self._jsons, self._many),
            (lambda: self._named(lambda name: name.endswith(".xml")), self._vocs),
            (self._texts, self._yolo),
            (lambda: self._named(lambda name: name.endswith(TABLES)), self._tables),
            (self._image_folders, self._classes_by_folder),
        ]  # fmt: skip

    def _given(self) -> list[str]:
        return self.files.names if self.files.single else []

    def _named(self, fits: Callable[[str], bool]) -> list[str]:
        return [name for name in self.files.names if fits(name)]

    def _jsons(self) -> list[str]:
        """The JSON files whose folder or name says annotations; without such files, all JSON files."""
        found = self._named(lambda name: name.endswith(".json"))
        likely = [
            name
            for name in found
            if "annotations" in name.split("/")[:-1] or "annotation" in name.split("/")[-1]
        ]
        return likely or [
            name for name in found if name.rsplit("/", 1)[-1] not in {"index.json", "dataset_infos.json"}
        ]

    def _one(self, names: list[str]) -> str:
        name = names[0]
        if name.endswith((".csv", ".tsv", ".parquet", ".jsonl")):
            return self._tables(names)
        return self._many(names)

    def _many(self, names: list[str]) -> str:
        kinds = []
        for name in _without_twins(names, self.builder.notes):
            self.builder.subset = _subset(name) if len(names) > 1 else ""
            kind = self._member(name)
            if kind:
                kinds.append(kind)
            else:
                self.builder.notes.append(f"{name} holds images or captions, no labels: passed over")
        if not kinds:
            raise UsageError(f"annotations: {names[0]} holds images or captions, no labels: expected {READ}")
        if len(names) > 1:
            self.builder.image_ids.clear()  # ids begin anew in each file
        return kinds[0]

    def _member(self, name: str) -> str:
        """Read an XML or JSON file and return its format; an empty text for a file without labels."""
        with self.files.open(name) as file:
            start = file.read(512)
        body = table.decoded(start[: len(start) // 2 * 2]).lstrip()
        if not start:
            raise UsageError(f"annotations: {name} is empty: expected {READ}")
        if body.startswith("<"):
            return self._xml(name)
        if body.startswith(("{", "[")):
            with self._bounded(name, min(self.files.left, MOST_JSON)) as bounded:
                return self._json(_load(bounded, name), name)
        raise UsageError(f"annotations: {name} is neither XML nor JSON; expected {READ}")

    @contextmanager
    def _bounded(self, name: str, most: int, silence: int = 2**62) -> Iterator[Bounded]:
        with self.files.open(name) as file:
            bounded = Bounded(file, name, most, silence)
            yield bounded
        self.files.left -= bounded.bytes

    def _xml(self, name: str) -> str:
        with self.files.open(name) as file:
            if b"<annotation>" in file.read(4096):
                return self._vocs([name])
        fresh = Builder(*self._arguments)
        fresh.subset = self.builder.subset
        try:
            with self._bounded(name, self.files.left, MOST_SILENCE) as bounded:
                kind = cvat_fast.read(bounded, name, fresh, bounded.progress)
            if self.builder.images:
                self.builder.declared |= fresh.declared
                self.builder.absorb(fresh)
            else:
                self.builder = fresh
        except cvat_fast.NotPlain:
            with self._bounded(name, self.files.left, MOST_SILENCE) as bounded:
                kind = cvat_xml.read(bounded, name, self.builder, bounded.progress)
        return kind

    def _json(self, document: Any, name: str) -> str:
        reader, kind = _json_reader(document, name)
        if reader is None:
            return ""
        try:
            reader.read(document, self.builder, name)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise UsageError(
                f"annotations: {name} looks like {kind} but is not ({reason(error)}); expected {READ}"
            ) from None
        return kind

    def _vocs(self, names: list[str]) -> str:
        images: set[tuple[str, str]] = set()
        for name in names:
            with self.files.open(name) as file:
                voc.read(file, name, self.builder, images)
        return voc.FORMAT

    def _texts(self) -> list[str]:
        """The text files with labels of YOLO; none without a list of classes or a folder ``labels``."""
        found = self._named(
            lambda name: name.endswith(".txt") and name.rsplit("/", 1)[-1].lower() not in LIST_FILES | CONFIG
            and not name.rsplit("/", 1)[-1].lower().startswith("readme")
        )  # fmt: skip
        return found if self._configs() or any("labels" in name.split("/")[:-1] for name in found) else []

    def _configs(self) -> list[str]:
        return self._named(lambda name: name.rsplit("/", 1)[-1] in CONFIG)

    def _yolo(self, names: list[str]) -> str:
        configs = self._configs()
        if not configs:
            raise UsageError(
                f"annotations: {names[0]} looks like YOLO, but no file names the classes: add data.yaml or"
                " classes.txt"
            )
        with self.files.open(configs[0]) as file:
            classes = yolo.classes_of(file, configs[0])
        for one in classes.names:
            self.builder.declare_label(one)
        images = {name.rsplit(".", 1)[0]: name for name in self.files.names if _suffix(name) in IMAGES}
        for name in names:
            stem = name.removesuffix(".txt")
            parallel = stem.replace("labels/", "images/")
            image = images.get(parallel) or images.get(stem) or f"{parallel}.jpg"
            with self.files.open(name) as file:
                yolo.read(file, name, self.builder, classes, image=image, size=self._size(image))
        return yolo.FORMAT

    def _size(self, image: str) -> tuple[int, int]:
        from labelspace_ops.audit import pictures  # noqa: PLC0415 - pillow is only wanted when images are there

        return (0, 0) if self.files.in_archive() else pictures.size(self.files.on_disk(image))

    def _tables(self, names: list[str]) -> str:
        for name in names:
            table.read(self._rows(name), self.builder, name)
        return table.FORMAT

    def _rows(self, name: str) -> Iterator[JsonObject]:
        try:
            if name.endswith(".parquet"):
                yield from self._parquet(name)
                return
            with self._bounded(name, min(self.files.left, MOST_JSON)) as bounded:
                data = bounded.read()
            if name.endswith(".jsonl"):
                yield from _json_lines(data, name)
            else:
                yield from table.rows_of_csv(data, name)
        except UsageError as error:
            raise UsageError(f"annotations: {str(error).removeprefix('annotations: ')}") from None

    def _parquet(self, name: str) -> list[JsonObject]:
        if self.files.in_archive():
            raise UsageError(f"{name}: unpack the archive: parquet is read from a folder")
        return table.rows_of_parquet(self.files.on_disk(name))

    def _image_folders(self) -> list[str]:
        return self._named(lambda name: _suffix(name) in IMAGES and "/" in name)

    def _classes_by_folder(self, names: list[str]) -> str:
        """The folder of an image is its class: torchvision's ImageFolder, Hugging Face's imagefolder."""
        for name in names:
            parts = name.split("/")
            self.builder.add_image(name, subset=parts[-3] if len(parts) > 2 else "")
            self.builder.add(parts[-2], (), (), tag=True)
        return CLASS_FOLDERS


def _json_reader(document: Any, name: str) -> tuple[Any, str]:
    """The module that reads a document and its format; None for captions, or for images alone."""
    if label_studio.is_tasks(document):
        return label_studio, label_studio.FORMAT
    if isinstance(document, list):
        keys: set[str] = set(document[0]) if document and isinstance(document[0], dict) else set()
        if {"image_id", "category_id"} <= keys:
            raise UsageError(
                f"annotations: {name} holds COCO results (predictions), no annotations: pass it with"
                " --predictions, and the annotations with --annotations"
            )
        if "image" in keys:
            raise UsageError(
                f"annotations: {name} looks like Label Studio's JSON-MIN, which leaves ids out:"
                " export as JSON"
            )
        raise UsageError(f"annotations: {name} is a JSON list of no known format; expected {READ}")
    if "items" in document and "categories" in document:
        return datumaro, datumaro.FORMAT
    first: Any = next(iter(document.get("annotations") or []), {})
    if isinstance(first, dict) and "caption" in first:
        return None, ""
    if "images" in document and "annotations" not in document:
        return None, ""
    return coco, coco.FORMAT


def _json_lines(data: bytes, name: str) -> Iterator[JsonObject]:
    """The rows of Hugging Face's ``metadata.jsonl``: one per image, or one per entry of ``objects``."""
    for number, line in enumerate(table.decoded(data).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{name}, line {number} is no valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise UsageError(f"{name}, line {number} is no JSON object: expected one with file_name")
        objects = row.pop("objects", None)
        if not isinstance(objects, dict):
            yield row
            continue
        categories = objects.get("categories") or objects.get("category") or []
        boxes = objects.get("bbox") or []
        if len(categories) != len(boxes) or any(len(box) != 4 for box in boxes):
            raise UsageError(
                f"{name}, line {number}: {len(categories)} categories and {len(boxes)} boxes: expected a"
                " box [x, y, width, height] for each category"
            )
        for category, box in zip(categories, boxes, strict=True):
            yield row | {"label": category, **dict(zip(("x", "y", "width", "height"), box, strict=True))}


def _without_twins(names: list[str], notes: list[str]) -> list[str]:
    """The files without those that describe the images of an ``instances_`` file again, such as keypoints."""
    left = []
    for name in names:
        for twin in ("person_keypoints", "keypoints", "panoptic", "stuff"):
            other = name.replace(f"{twin}_", "instances_")
            if other != name and other in names:
                notes.append(f"{name} describes the images of {other} again: passed over")
                break
        else:
            left.append(name)
    return left


def _subset(name: str) -> str:
    """The subset in a name: ``annotations/instances_train.json``, ``train/_annotations.coco.json``."""
    stem = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if stem.startswith("_annotations") or stem == "annotations":
        return name.split("/")[-2] if "/" in name else ""
    for start in ("instances_", "person_keypoints_", "panoptic_", "labels_", "image_info_"):
        stem = stem.removeprefix(start)
    return stem


def _suffix(name: str) -> str:
    return f".{name.rsplit('.', 1)[-1].lower()}"


def _load(file: Bounded, name: str) -> Any:
    try:
        return json.loads(table.decoded(file.read()))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"annotations: {name} is no valid JSON: {error}") from None
