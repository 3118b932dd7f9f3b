"""Reads "COCO 1.0": ``annotations/instances_<subset>.json``. COCO has no tags, so no classes of images."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from labelspace_ops.audit.dataset import Builder


def read(document: dict[str, Any], builder: Builder) -> None:
    """Fill ``builder``; a malformed document raises KeyError, TypeError and the like."""
    labels = {category["id"]: category["name"] for category in document["categories"]}
    for label in labels.values():
        builder.declare_label(label)
    of_image = defaultdict(list)
    for annotation in document["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    for image in document["images"]:
        builder.add_image(str(image["file_name"]))
        for annotation in of_image[image["id"]]:
            builder.add_of_format(
                labels[annotation["category_id"]], annotation.get("attributes", {}), tag=False,
                identity=int(annotation["id"]),
            )  # fmt: skip
