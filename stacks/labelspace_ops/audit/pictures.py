"""What the images themselves say: their size, and how bright and colourful they are."""

from __future__ import annotations

from pathlib import Path


def size(path: Path) -> tuple[int, int]:
    """Width and height in pixels; zeros when the file is no image, or pillow is not installed."""
    try:
        from PIL import Image  # noqa: PLC0415 - an optional package

        with Image.open(path) as image:
            return image.size
    except (ImportError, OSError):
        return (0, 0)
