"""Reads "CVAT for images 1.1" and "CVAT for video 1.1" as any valid XML, one element at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder, Job
from labelspace_ops.core.errors import UsageError

OBJECTS = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")
TAGS = ("annotations", "meta", "image", "track", "tag", *OBJECTS)
IMAGES, VIDEO = "CVAT for images 1.1", "CVAT for video 1.1"


def read(file: Any, name: str, builder: Builder, progress: Callable[[], None]) -> str:
    """Fill ``builder`` and return the format; raises ``UsageError`` on anything else."""
    events = etree.iterparse(
        file, events=("start", "end"), tag=TAGS, resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=True,
    )  # fmt: skip
    reader = Reader(name, builder)
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
    reader.finish()
    return VIDEO if reader.tracks else IMAGES


class Reader:
    """Converts elements into rows of a builder."""

    def __init__(self, name: str, builder: Builder) -> None:
        self.begun = False
        self.frames = self.tracks = 0
        self.videos: set[str] = set()
        """Tasks and jobs that are videos; empty text for the only one."""
        self._name, self._builder = name, builder
        self._frames: dict[tuple[str, int], int] = {}
        self._sizes: dict[str, tuple[str, float, float]] = {}

    def take(self, event: str, element: Any) -> None:
        """Handle the start or end of an element."""
        tag = element.tag
        if event == "start":
            self._start(tag, element)
        elif tag == "track":
            self._track(element)
        elif tag == "tag" or tag in OBJECTS:
            self._annotation(tag, element)
        elif tag == "image":
            _forget(element)
        elif tag == "meta":
            self._meta(element)

    def finish(self) -> None:
        """Add the notes on the whole export."""
        if self.frames:
            self._builder.notes.append(
                f"{self.frames} images are frames of videos: a video is one sample in tests and intervals"
            )

    def image(self, attributes: dict[str, str]) -> None:
        """Start an image; the frames of a video are one cluster."""
        task = attributes.get("task_id")
        video = bool(self.videos) and task in (None, *self.videos)
        self.frames += video
        self._builder.add_image(
            _file_name(attributes), subset=attributes.get("subset", ""),
            width=_float(attributes.get("width")), height=_float(attributes.get("height")),
            cluster=f"video {task or ''}" if video else "", task=task or "",
            frame=int(_float(attributes.get("id", "-1"))),
        )  # fmt: skip

    def _start(self, tag: str, element: Any) -> None:
        if not self.begun:
            self._begin(tag, element)
        if tag == "image":
            self.image(dict(element.attrib))

    def _begin(self, tag: str, element: Any) -> None:
        if tag != "annotations" or element.getparent() is not None:
            raise UsageError(f"annotations: {self._name}: its outermost element is not <annotations>")
        if element.getroottree().docinfo.doctype:
            raise UsageError(f"annotations: {self._name} has a DOCTYPE, which no export has: not read")
        self.begun = True

    def _annotation(self, tag: str, element: Any) -> None:
        parent = element.getparent()
        if parent is None or parent.tag != "image":
            return  # a point of a skeleton, or a frame of a track
        self._add(element.get("label", ""), tag, element)
        _forget(element)

    def _add(self, label: str, tag: str, element: Any, identity: object = None) -> None:
        children = [child for child in element if child.tag == "attribute"]
        names = tuple([child.get("name", "") for child in children])
        values = [child.text or "" for child in children]
        attributes = dict(element.attrib)
        occluded = attributes.get("occluded")
        self._builder.add(
            label, names, values, tag=tag == "tag", box=box_of(tag, attributes), identity=identity,
            occluded=-1 if tag == "tag" or occluded is None else int(occluded == "1"),
        )  # fmt: skip

    def _track(self, track: Any) -> None:
        """Add an object for each frame that shows it; the whole video is one cluster."""
        self.tracks += 1
        task = track.get("task_id", "")
        subset, width, height = self._sizes.get(task, self._sizes.get("", ("", 0, 0)))
        for shape in track:
            if shape.tag in OBJECTS and shape.get("outside") != "1":
                frame = int(_float(shape.get("frame")))
                if (task, frame) not in self._frames:
                    name = f"{task}/frame_{frame:06}" if task else f"frame_{frame:06}"
                    self._frames[task, frame] = self._builder.add_image(
                        name, subset=track.get("subset", subset), width=width, height=height,
                        cluster=f"video {task}", task=task, frame=frame,
                    )  # fmt: skip
                    self.frames += 1
                self._builder.select(self._frames[task, frame])
                self._add(track.get("label", ""), shape.tag, shape, identity=track.get("id"))
        _forget(track)

    def _meta(self, meta: Any) -> None:
        """Read labels and jobs. Labels with a parent are points of skeletons: they are skipped."""
        for label in meta.iter("label"):
            if label.find("name") is not None and label.find("parent") is None:
                self._builder.declare_label(label.findtext("name") or "")
                self._attributes(label)
        for part in meta.iter("task", "job"):
            identity, size = part.findtext("id") or "", part.find("original_size")
            if part.findtext("mode") == "interpolation":
                self.videos.add(identity)
            self._builder.jobs += _jobs(part)
            if size is not None:
                measured = (_float(size.findtext("width")), _float(size.findtext("height")))
                self._sizes[identity] = self._sizes[""] = (part.findtext("subset") or "", *measured)
        _forget(meta)

    def _attributes(self, label: Any) -> None:
        for attribute in label.iter("attribute"):
            if attribute.find("name") is not None:
                self._builder.declare(
                    label.findtext("name") or "", attribute.findtext("name") or "",
                    attribute.findtext("input_type") or "", (attribute.findtext("values") or "").split("\n")
                    if attribute.findtext("values") else (),
                )  # fmt: skip


def _jobs(part: Any) -> list[Job]:
    """The jobs that the segments of a task name, or the exported job (``cvat/formats/cvat.py`` of CVAT)."""
    identity, annotator = part.findtext("id") or "", part.findtext("assignee/username") or ""
    return [
        Job(
            (segment.findtext("url") or segment.findtext("id") or "").rsplit("/", 1)[-1],
            identity if part.tag == "task" else "", part.findtext("name") or "",
            int(_float(segment.findtext("start"))), int(_float(segment.findtext("stop"))), annotator,
        )
        for segment in part.iter("segment")
    ]  # fmt: skip


def box_of(tag: str, attributes: dict[str, str]) -> Box:
    """x, y, width and height of a shape in pixels; nan where the shape has no extent."""
    try:
        return _box_of(tag, attributes)
    except (KeyError, ValueError):
        return NO_BOX


def _box_of(tag: str, one: dict[str, str]) -> Box:
    if tag == "box":
        left, top = float(one["xtl"]), float(one["ytl"])
        return left, top, float(one["xbr"]) - left, float(one["ybr"]) - top
    if tag == "mask":
        return float(one["left"]), float(one["top"]), float(one["width"]), float(one["height"])
    if tag == "ellipse":
        x, y, wide, high = (float(one[name]) for name in ("cx", "cy", "rx", "ry"))
        return x - wide, y - high, 2 * wide, 2 * high
    if tag in {"polygon", "polyline", "points"}:
        pairs = [pair.split(",") for pair in one["points"].split(";")]
        across, down = [float(pair[0]) for pair in pairs], [float(pair[1]) for pair in pairs]
        return min(across), min(down), max(across) - min(across), max(down) - min(down)
    return NO_BOX


def _float(value: str | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return 0.0


def _file_name(attributes: dict[str, str]) -> str:
    """The name of a frame with its task, because the frames of all videos have the same names."""
    task, name = attributes.get("task_id"), attributes.get("name", "")
    return f"{task}/{name}" if task and name.startswith("frame_") else name


def _forget(element: Any) -> None:
    """Free the memory of an element and of the empty ones before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
