"""Later versions of the CVAT double, so that an upgrade can be judged: each is one layer over the double."""

from __future__ import annotations

from pathlib import Path

from labelspace.cvat.images import CVAT_VERSION, cvat_image
from testbed.shell import run

HERE = Path(__file__).parent
VERSIONS = {"good": "2.73.9001", "failing": "2.73.9002", "losing": "2.73.9003"}
"""What their migration does; the numbers are none of CVAT's."""
OF_A_LATER_LINE = {"undeclared": "2.76.9001", "stopping": "2.76.9002"}
"""The same over the double of 2.76.0."""


def prepare() -> None:
    """Build what is missing: the engine keeps layers, so that a second time takes no build."""
    _build(VERSIONS, CVAT_VERSION)


def prepare_later(base: str) -> None:
    """Build ``OF_A_LATER_LINE`` over the double at ``base``."""
    _build(OF_A_LATER_LINE, base, "0107_z")


def _build(versions: dict[str, str], base: str, number: str = "0002") -> None:
    for migration, version in versions.items():
        given = {
            "BASE": cvat_image("server", base),
            "VERSION": version,
            "MIGRATION": migration,
            "NUMBER": number,
        }
        words = [word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")]
        command = ["docker", "build", "--quiet", *words, "--tag", cvat_image("server", version), str(HERE)]
        run(command, env={"DOCKER_BUILDKIT": "0"})
        run(["docker", "tag", cvat_image("ui", CVAT_VERSION), cvat_image("ui", version)])
