"""Reads an Ultralytics YOLO folder: ``data.yaml`` with the names, and in ``labels`` a text file per image."""

from __future__ import annotations

from typing import IO, Any

import yaml

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder
from labelspace_ops.core.errors import UsageError

FORMAT = "YOLO"


def names_of(file: IO[bytes], name: str) -> list[str]:
    """The classes of a ``data.yaml``, or of a ``classes.txt`` with one name per line."""
    data = file.read().decode("utf-8-sig")
    if name.endswith(".txt"):
        return [line.strip() for line in data.splitlines() if line.strip()]
    try:
        found: Any = yaml.safe_load(data)["names"]
    except (yaml.YAMLError, KeyError, TypeError):
        raise UsageError(f"annotations: {name} holds no list `names` of classes, as YOLO has it") from None
    if isinstance(found, dict):
        return [str(found.get(code, code)) for code in range(max(map(int, found), default=-1) + 1)]
    return [str(one) for one in found]


def read(
    file: IO[bytes], name: str, builder: Builder, names: list[str], *, image: str, size: tuple[int, int]
) -> None:
    """Add the image of a text file. Boxes are fractions of ``size`` (width, height), zeros when unknown."""
    parts = name.split("/")
    known = [one for one in parts[:-1] if one in {"train", "val", "valid", "test"}]
    builder.add_image(image, subset=known[0] if known else "", width=size[0], height=size[1])
    for number, line in enumerate(file.read().decode("utf-8-sig").splitlines(), 1):
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
