"""Reads an Ultralytics YOLO folder: ``data.yaml`` with the names, and in ``labels`` a text file per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import yaml

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder
from labelspace_ops.audit.readers import table
from labelspace_ops.core.errors import UsageError

FORMAT = "YOLO"
FARTHEST = 2.0
"""The largest fraction of an image's side: outlines may end a little outside."""


@dataclass(frozen=True)
class Classes:
    """The names of the classes, and whether lines hold the points of a pose after the box."""

    names: list[str]
    poses: bool = False


def classes_of(file: IO[bytes], name: str) -> Classes:
    """The classes of a ``data.yaml``, or of a ``classes.txt`` or ``obj.names`` with one name per line."""
    data = table.decoded(file.read())
    if name.endswith((".txt", ".names")):
        return Classes([line.strip() for line in data.splitlines() if line.strip()])
    try:
        document: Any = yaml.safe_load(data)
        found = document["names"]
        if isinstance(found, dict):
            found = [found.get(code, code) for code in range(max(map(int, found), default=-1) + 1)]
        return Classes([str(one) for one in found], "kpt_shape" in document)
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise UsageError(
            f"annotations: {name} holds no list `names` of classes in UTF-8, as YOLO has it"
        ) from None


def read(
    file: IO[bytes], name: str, builder: Builder, classes: Classes, *, image: str, size: tuple[int, int]
) -> None:
    """Add the image of a text file. Boxes are fractions of ``size`` (width, height), zeros when unknown."""
    parts, names = name.split("/"), classes.names
    known = [one for one in parts[:-1] if one in {"train", "val", "valid", "test"}]
    builder.add_image(image, subset=known[0] if known else "", width=size[0], height=size[1])
    for number, line in enumerate(table.decoded(file.read()).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            code, numbers = int(float(fields[0])), [float(one) for one in fields[1:]]
        except ValueError:
            raise UsageError(
                f"annotations: {name}, line {number}: {line[:40]!r}: expected a class and numbers"
            ) from None
        if not 0 <= code < len(names):
            raise UsageError(
                f"annotations: {name}, line {number}: class {code} is not among the {len(names)} names"
            )
        numbers = numbers[:4] if classes.poses else numbers
        if 0 < len(numbers) < 4 or max(numbers, default=0) > FARTHEST:
            raise UsageError(
                f"annotations: {name}, line {number}: {line[:40]!r}: expected after the class a box (4"
                " numbers) or an outline (6 or more), as fractions of the image's width and height"
            )
        builder.add(names[code], (), (), tag=False, box=_box(numbers, size))


def _box(numbers: list[float], size: tuple[int, int]) -> Box:
    """The box of a line: centre and extent, or the points of an outline."""
    width, height = (float(one or 1) for one in size)
    if len(numbers) in {4, 5}:
        x, y, wide, high = numbers[:4]
        return (x - wide / 2) * width, (y - high / 2) * height, wide * width, high * height
    if len(numbers) >= 6:
        across, down = numbers[::2], numbers[1::2]
        box = (min(across), min(down), max(across) - min(across), max(down) - min(down))
        return box[0] * width, box[1] * height, box[2] * width, box[3] * height
    return NO_BOX
