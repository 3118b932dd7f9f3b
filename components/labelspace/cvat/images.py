"""The images of a workspace, pinned; the names are the official ones."""

from __future__ import annotations

from labelspace.cvat_lines import default_version, line_of

CVAT_VERSION = default_version()
"""The default version, of the newest line that was run."""


def cvat_image(part: str, version: str) -> str:
    """The image of CVAT's ``server`` or ``ui`` at a version."""
    return f"cvat/{part}:v{version}"


def image_version(image: str) -> str:
    """The version in the name of an image of CVAT's; empty when it names none."""
    return image.rpartition(":v")[2] if ":v" in image else ""


def platform(image: str) -> str | None:
    """The only platform that an image is published for; None: for many, or not known.

    CVAT publishes for amd64 alone (cvat-ai/cvat, issues 4654 and 6629).
    """
    return "linux/amd64" if image.startswith("cvat/") else None


IMAGES = {
    "postgres": "postgres:15-bookworm",
    **line_of(CVAT_VERSION).images,
    "caddy": "caddy:2.11-alpine",
    "versitygw": "versity/versitygw:v1.8.0",
    "rclone": "rclone/rclone:1.76.0",
    "server": cvat_image("server", CVAT_VERSION),
    "ui": cvat_image("ui", CVAT_VERSION),
}
"""The images at the default version of CVAT. Its line names those of CVAT's own compose file; the others are
releases that get fixes (2026-11).

Sources: docker-library/official-images (redis 7.2.16 of 2026-08-18, caddy 2.11); the newest releases in Go's
module proxy (versitygw v1.8.0 of 2026-09-04, rclone v1.76.0 of 2026-11-06).
"""


def server_images(version: str) -> tuple[str, ...]:
    """The images that an annotation server runs at a version of CVAT."""
    pinned = line_of(version).images
    shared = (pinned["redis"], pinned["kvrocks"], pinned["opa"], IMAGES["caddy"])
    return (cvat_image("server", version), cvat_image("ui", version), *shared)
