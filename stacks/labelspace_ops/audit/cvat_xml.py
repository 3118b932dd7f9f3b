"""Reads "CVAT for images 1.1", an annotation at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from labelspace_ops.audit.dataset import ALIKE, Builder
from labelspace_ops.core.errors import UsageError

OBJECTS = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")
TAGS = ("annotations", "meta", "image", "track", "tag", *OBJECTS)


def read(file: Any, name: str, builder: Builder, progress: Callable[[], None]) -> None:
    """Fill ``builder``; calls ``progress`` at each annotation; raises ``UsageError`` on anything else."""
    events = etree.iterparse(
        file, events=("start", "end"), tag=TAGS, resolve_entities=False, no_network=True, load_dtd=False
    )
    reader = _Reader(name, builder)
    try:
        for event, element in events:
            reader.take(event, element)
            progress()
    except etree.XMLSyntaxError as error:
        raise UsageError(f"annotations: {name} is no valid XML: {error.msg}") from None
    if not reader.begun:
        raise UsageError(
            f"annotations: {name} is XML, but not of CVAT: its outermost element is not <annotations>"
        )
    if reader.frames:
        builder.notes.append(f"{reader.frames} images are frames of videos: {ALIKE}")


class _Reader:
    def __init__(self, name: str, builder: Builder) -> None:
        self.begun = False
        self.frames = 0
        """Images that are frames of videos."""
        self._videos: set[str] = set()
        self._name, self._builder = name, builder
        self._place = 0

    def take(self, event: str, element: Any) -> None:
        """One start or end of an element."""
        tag = element.tag
        if event == "start":
            self._start(tag, element)
        elif tag == "tag" or tag in OBJECTS:
            self._annotation(tag, element)
        elif tag == "image":
            _forget(element)
        elif tag == "meta":
            self._meta(element)

    def _start(self, tag: str, element: Any) -> None:
        if not self.begun:
            self._begin(tag, element)
        if tag == "image":
            self._builder.add_image(_file_name(element))
            self.frames += bool(self._videos) and element.get("task_id") in (None, *self._videos)
            self._place = 0
        elif tag == "track":
            raise UsageError(
                f"annotations: {self._name} is an export for video; export it as `CVAT for images 1.1`"
            )

    def _begin(self, tag: str, element: Any) -> None:
        if tag != "annotations" or element.getparent() is not None:
            raise UsageError(f"annotations: {self._name}: its outermost element is not <annotations>")
        if element.getroottree().docinfo.doctype:
            raise UsageError(f"annotations: {self._name} has a DOCTYPE, which no export has: not read")
        self.begun = True

    def _annotation(self, tag: str, element: Any) -> None:
        parent = element.getparent()
        if parent is None or parent.tag != "image":
            return  # a point of a skeleton
        children = [child for child in element if child.tag == "attribute"]
        self._builder.add(
            element.get("label", ""),
            tuple([child.get("name", "") for child in children]),
            [child.text or "" for child in children],
            tag=tag == "tag",
            identity=-1 if tag == "tag" else self._place,
        )
        self._place += tag != "tag"
        _forget(element)

    def _meta(self, meta: Any) -> None:
        """The points of skeletons, labels with a parent here, are neither classes nor carry attributes."""
        for label in meta.iter("label"):
            if label.find("name") is not None and label.find("parent") is None:
                self._builder.declare_label(label.findtext("name") or "")
                self._attributes(label)
        for part in meta.iter("task", "job"):
            if part.findtext("mode") == "interpolation":
                self._videos.add(part.findtext("id") or "")
        _forget(meta)

    def _attributes(self, label: Any) -> None:
        for attribute in label.iter("attribute"):
            if attribute.find("name") is not None:
                self._builder.declare(
                    attribute.findtext("name") or "", attribute.findtext("input_type") or ""
                )


def _file_name(element: Any) -> str:
    """The frames of every video are named alike: theirs is told apart by the task."""
    name = str(element.get("name", ""))
    task = element.get("task_id")
    return f"{task}/{name}" if task and name.startswith("frame_") else name


def _forget(element: Any) -> None:
    """Free what was read: the element and the empty ones before it."""
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]
