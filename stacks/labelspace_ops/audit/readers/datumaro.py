"""Reads "Datumaro 1.0": ``annotations/<subset>.json``."""

from __future__ import annotations

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder, JsonObject
from labelspace_ops.core.errors import UsageError

FORMAT = "Datumaro 1.0"


def read(document: JsonObject, builder: Builder, name: str) -> None:
    """Fill ``builder``; a malformed document raises KeyError, TypeError and the like."""
    known = document["categories"].get("label", {}).get("labels", [])
    labels = [label["name"] for label in known]
    for label in known:
        if not label.get("parent"):  # the points of skeletons are no classes
            builder.declare_label(label["name"])
    usable = _ids_are_usable(document["items"])
    if not usable:
        builder.notes.append(
            "the objects have no ids of their own (CVAT writes 0 everywhere): they are numbered by their"
            " place in the image"
        )
    for item in document["items"]:
        media = item.get("image") or item.get("media") or {}
        size = media.get("size") or (0, 0)
        index = builder.add_image(str(media.get("path") or item["id"]), width=size[1], height=size[0])
        builder.image_ids[str(item["id"])] = index
        for annotation in item["annotations"]:
            if annotation.get("label_id") is not None:
                tag = annotation["type"] == "label"
                builder.add_of_format(
                    _label(annotation["label_id"], labels, item["id"], name),
                    annotation.get("attributes") or {}, tag=tag,
                    identity=int(annotation["id"]) if usable and not tag else None, box=_box(annotation),
                )  # fmt: skip


def _label(code: int, labels: list[str], item: object, name: str) -> str:
    if not 0 <= code < len(labels):
        raise UsageError(
            f"annotations: {name}: item {item} has label_id {code}, but there are {len(labels)} labels: add"
            " the label or drop the annotation"
        )
    return labels[code]


def _ids_are_usable(items: list[JsonObject]) -> bool:
    """Whether the ids of objects differ within each image (CVAT issue 7314: they are all 0)."""
    for item in items:
        ids = [one.get("id") for one in item["annotations"] if one["type"] != "label"]
        if None in ids or len(set(ids)) < len(ids):
            return False
    return True


def _box(annotation: JsonObject) -> Box:
    box, points = annotation.get("bbox"), annotation.get("points")
    if isinstance(box, list) and len(box) == 4:
        return float(box[0]), float(box[1]), float(box[2]), float(box[3])
    if isinstance(points, list) and len(points) >= 4 and annotation["type"] in {"polygon", "polyline"}:
        across, down = points[::2], points[1::2]
        return min(across), min(down), max(across) - min(across), max(down) - min(down)
    return NO_BOX
