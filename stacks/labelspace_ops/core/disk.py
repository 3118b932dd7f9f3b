"""Disk usage, counted as CVAT's health check does: without the blocks that are reserved for root."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


def usage(paths: Iterable[Path]) -> Iterator[tuple[Path, float, int]]:
    """Yield each path that exists, the percentage of its disk that is used, and the free bytes."""
    for path in paths:
        if path.exists():
            usage = shutil.disk_usage(path)
            yield path, 100 * usage.used / (usage.used + usage.free), usage.free
