"""Later versions of the CVAT double, so that an upgrade can be judged: each is one layer over the double."""

from __future__ import annotations

from pathlib import Path

from labelspace.cvat.images import CVAT_VERSION, cvat_image
from testbed.shell import run

HERE = Path(__file__).parent
VERSIONS = {"good": "2.73.9001", "failing": "2.73.9002", "losing": "2.73.9003"}
"""What their migration does; the numbers are none of CVAT's."""


def prepare() -> None:
    """Build what is missing: the engine keeps layers, so that a second time takes no build."""
    for migration, version in VERSIONS.items():
        given = {"BASE": cvat_image("server", CVAT_VERSION), "VERSION": version, "MIGRATION": migration}
        words = [word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")]
        command = ["docker", "build", "--quiet", *words, "--tag", cvat_image("server", version), str(HERE)]
        run(command, env={"DOCKER_BUILDKIT": "0"})
        run(["docker", "tag", cvat_image("ui", CVAT_VERSION), cvat_image("ui", version)])
