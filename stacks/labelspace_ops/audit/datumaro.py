"""Reads "Datumaro 1.0": ``annotations/<subset>.json``."""

from __future__ import annotations

from typing import Any

from labelspace_ops.audit.dataset import Builder, text

BUILT_IN = {"occluded", "rotation", "track_id", "keyframe", "outside"}
"""Attributes that CVAT writes by itself."""


def read(document: dict[str, Any], builder: Builder) -> None:
    """Fill ``builder``; a malformed document raises KeyError, TypeError and the like."""
    labels = [label["name"] for label in document["categories"].get("label", {}).get("labels", [])]
    for label in labels:
        builder.declare_label(label)
    for item in document["items"]:
        builder.add_image(_file_name(item))
        for annotation in item["annotations"]:
            if annotation.get("label_id") is not None:
                _add(annotation, labels[annotation["label_id"]], builder)


def _file_name(item: dict[str, Any]) -> str:
    media = item.get("image") or item.get("media") or {}
    return str(media.get("path") or item["id"])


def _add(annotation: dict[str, Any], label: str, builder: Builder) -> None:
    own = {
        name: text(value) for name, value in annotation.get("attributes", {}).items() if name not in BUILT_IN
    }
    builder.add(
        label,
        tuple(own),
        list(own.values()),
        tag=annotation["type"] == "label",
        identity=int(annotation["id"]),
    )
