"""The disk that the end-to-end tests need."""

from __future__ import annotations

import shutil
from pathlib import Path

from labelspace.home import Home
from labelspace_ops.targets.local.preflight import LEAST_FREE_BYTES, MOST_USED_PERCENT
from testbed.shell import SetupError, run

TESTS_BYTES = 10 * 2**30
"""Measured with two processes: 8 GiB at most, for workspaces, disks of Instances and copies of images."""


def require(home: Home) -> None:
    """Raise ``SetupError`` when the tests would fill the disk so far that ``create`` refuses it."""
    docker_data = Path(run(["docker", "info", "--format", "{{.DockerRootDir}}"]).strip())
    for path in (docker_data, home.root):
        if path.exists():
            usage = shutil.disk_usage(path)
            if problem := shortage(usage.used, usage.free):
                raise SetupError(f"{path} {problem}")


def shortage(used: int, free: int) -> str:
    """Return what is missing on a disk with so many bytes; empty for nothing."""
    needed = TESTS_BYTES + max(LEAST_FREE_BYTES, (used + free) * (1 - MOST_USED_PERCENT / 100))
    if free >= needed:
        return ""
    return (
        f"has {free / 2**30:.1f} GiB free; the end-to-end tests need {needed / 2**30:.1f} GiB, so that"
        f" at most {MOST_USED_PERCENT} % are used while they run: free {(needed - free) / 2**30:.1f} GiB"
        " (`docker system df` shows what Docker uses)"
    )
