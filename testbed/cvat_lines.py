"""The CVAT double at later lines: each is one layer over the double of the first line."""

from __future__ import annotations

from pathlib import Path

from labelspace.cvat.images import CVAT_VERSION, cvat_image
from testbed.shell import run

DOUBLE = Path(__file__).parent / "double"
VERSIONS = ("2.76.0", "2.79.0", "2.80.0")
"""Versions of which the double knows the differences (``double/cvat/line.py``)."""


def prepare(*versions: str, base: str = "") -> None:
    """Build ``versions``, all by default: the engine keeps layers, so that a second time takes no build."""
    for version in versions or VERSIONS:
        command = ["docker", "build", "--quiet", "--file", str(DOUBLE / "Dockerfile.line")]
        command += ["--build-arg", f"BASE={base or cvat_image('server', CVAT_VERSION)}"]
        command += ["--build-arg", f"VERSION={version}", "--tag", cvat_image("server", version), str(DOUBLE)]
        run(command, env={"DOCKER_BUILDKIT": "0"})
        run(["docker", "tag", cvat_image("ui", CVAT_VERSION), cvat_image("ui", version)])
