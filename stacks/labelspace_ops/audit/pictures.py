"""Measures images: their size, brightness, saturation, and the hour of the photograph."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.core.errors import UsageError

THUMBNAIL = 96
"""Pixels of the longer side of a thumbnail."""
SAMPLED = 64
"""Pixels to which an image is shrunk before it is measured."""
TAKEN = 36867
"""EXIF's DateTimeOriginal."""
NAMES = ("brightness", "colour", "time of day")
BRIGHTNESS = (70.0, 160.0), ("dark", "medium", "bright")
"""Limits of brightness: the mean grey level, from 0 to 255."""
COLOUR = (25.0, 90.0), ("grey", "muted", "colourful")
"""Limits of the mean saturation, from 0 to 255."""
HOURS = (6.0, 10.0, 17.0, 21.0), ("night", "morning", "day", "evening", "night")


def size(path: Path) -> tuple[int, int]:
    """Width and height in pixels; zeros when the file is not an image, or pillow is not installed."""
    try:
        from PIL import Image  # noqa: PLC0415 - an optional package

        with Image.open(path) as image:
            return image.size
    except (ImportError, OSError):
        return (0, 0)


class Pictures:
    """A folder of images, found by path or by base name; raises ``UsageError`` without pillow."""

    def __init__(self, folder: Path) -> None:
        try:
            import PIL.Image  # noqa: F401, PLC0415 - an optional package
        except ImportError:
            raise UsageError("images: reading images needs pillow: `pip install pillow`") from None
        if not folder.is_dir():
            raise UsageError(f"images: {folder}: no such folder; name the folder that holds the images")
        self._folder = folder
        self._by_name = {one.name: one for one in sorted(folder.rglob("*")) if one.is_file()}

    def find(self, name: str) -> Path | None:
        """The file of an image of the export."""
        path = self._folder / name
        return path if path.is_file() else self._by_name.get(Path(name).name)

    def measure(self, names: Iterable[str]) -> NDArray[np.float64]:
        """Brightness, saturation and hour of each image, nan where it is missing; shape (images, 3)."""
        return np.array([_measured(self.find(name)) for name in names], dtype=np.float64).reshape(-1, 3)

    def thumbnail(self, name: str) -> str | None:
        """A small JPEG as a data URL; None when the file is missing or not an image."""
        from PIL import Image  # noqa: PLC0415 - an optional package

        path = self.find(name)
        try:
            with Image.open(path or "") as image:
                image.thumbnail((THUMBNAIL, THUMBNAIL))
                out = BytesIO()
                image.convert("RGB").save(out, "JPEG", quality=70)
        except OSError:
            return None
        return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def _measured(path: Path | None) -> tuple[float, float, float]:
    from PIL import Image  # noqa: PLC0415 - an optional package

    if path is None:
        return (np.nan,) * 3
    try:
        with Image.open(path) as image:
            hour = _hour(str(image.getexif().get_ifd(0x8769).get(TAKEN, "")))
            image.draft("RGB", (SAMPLED, SAMPLED))
            small = image.convert("RGB").resize((SAMPLED, SAMPLED))
        grey, saturation = (
            np.asarray(small.convert("L")).mean(),
            np.asarray(small.convert("HSV"))[..., 1].mean(),
        )
    except OSError:
        return (np.nan,) * 3
    return float(grey), float(saturation), hour


def _hour(taken: str) -> float:
    """The hour of EXIF text such as ``2024:05:17 21:04:33``."""
    try:
        day, clock = taken.split(" ")
        hour, minute, _ = clock.split(":")
        return float(hour) + float(minute) / 60 if day else np.nan
    except ValueError:
        return np.nan
