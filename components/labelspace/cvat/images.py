"""The images of a workspace, pinned; the names are the official ones."""

from __future__ import annotations

CVAT_VERSION = "2.73.0"
"""The default version; ``labelspace.spec`` refuses other minor versions."""


def cvat_image(part: str, version: str) -> str:
    """The image of CVAT's ``server`` or ``ui`` at a version."""
    return f"cvat/{part}:v{version}"


def image_version(image: str) -> str:
    """The version in the name of an image of CVAT's; empty when it names none."""
    return image.rpartition(":v")[2] if ":v" in image else ""


IMAGES = {
    "postgres": "postgres:15-bookworm",
    "redis": "redis:7.2.11-alpine",
    "kvrocks": "apache/kvrocks:2.15.0",
    "opa": "openpolicyagent/opa:1.12.2",
    "caddy": "caddy:2.10-alpine",
    "versitygw": "versity/versitygw:v1.8.0",
    "rclone": "rclone/rclone:1.75.1",
    "server": cvat_image("server", CVAT_VERSION),
    "ui": cvat_image("ui", CVAT_VERSION),
}
"""Versions are those that CVAT's own compose file pins, where it uses the image."""
