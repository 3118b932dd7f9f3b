"""The images of a workspace, pinned; the names are the official ones."""

from __future__ import annotations

CVAT_VERSION = "2.73.0"
"""The CVAT whose server was read in full and run; ``labelspace.spec`` refuses others."""

IMAGES = {
    "postgres": "postgres:15-bookworm",
    "redis": "redis:7.2.11-alpine",
    "kvrocks": "apache/kvrocks:2.15.0",
    "opa": "openpolicyagent/opa:1.12.2",
    "caddy": "caddy:2.10-alpine",
    "versitygw": "versity/versitygw:v1.8.0",
    "rclone": "rclone/rclone:1.75.1",
    "server": f"cvat/server:v{CVAT_VERSION}",
    "ui": f"cvat/ui:v{CVAT_VERSION}",
}
"""Versions are those that CVAT's own compose file pins, where it uses the image."""
