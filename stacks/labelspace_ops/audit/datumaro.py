"""Reads "Datumaro 1.0": ``annotations/<subset>.json``."""

from __future__ import annotations

from typing import Any

from labelspace_ops.audit.dataset import Builder


def read(document: dict[str, Any], builder: Builder) -> None:
    """Fill ``builder``; a malformed document raises KeyError, TypeError and the like."""
    known = document["categories"].get("label", {}).get("labels", [])
    labels = [label["name"] for label in known]
    for label in known:
        if not label.get("parent"):  # the points of skeletons are no classes
            builder.declare_label(label["name"])
    for item in document["items"]:
        builder.add_image(_file_name(item))
        for annotation in item["annotations"]:
            if annotation.get("label_id") is not None:
                _add(annotation, labels[annotation["label_id"]], builder)


def _file_name(item: dict[str, Any]) -> str:
    media = item.get("image") or item.get("media") or {}
    return str(media.get("path") or item["id"])


def _add(annotation: dict[str, Any], label: str, builder: Builder) -> None:
    builder.add_of_format(
        label,
        annotation.get("attributes", {}),
        tag=annotation["type"] == "label",
        identity=int(annotation["id"]),
    )
