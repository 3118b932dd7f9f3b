"""How full disks are, as CVAT's own health counts it: of what users may fill."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


def usage(places: Iterable[Path]) -> Iterator[tuple[Path, float, int]]:
    """For each place that is there: the percentage used of its disk, and the bytes that are free."""
    for place in places:
        if place.exists():
            usage = shutil.disk_usage(place)
            yield place, 100 * usage.used / (usage.used + usage.free), usage.free
