"""Reads "COCO 1.0": ``annotations/instances_<subset>.json``. COCO has no tags, so no classes of images."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from labelspace_ops.audit.dataset import Builder, text
from labelspace_ops.audit.datumaro import BUILT_IN


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
            own = {
                name: text(value)
                for name, value in annotation.get("attributes", {}).items()
                if name not in BUILT_IN
            }
            builder.add(
                labels[annotation["category_id"]], tuple(own), list(own.values()), tag=False,
                identity=int(annotation["id"]),
            )  # fmt: skip
