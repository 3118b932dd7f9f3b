"""Reads COCO's JSON: instances, keypoints, panoptic, LVIS; ids are numbers or text.

Source of the shapes: cocodataset.org/#format-data, lvisdataset.org/dataset.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder, JsonObject
from labelspace_ops.core.errors import UsageError

FORMAT = "COCO 1.0"


def read(document: JsonObject, builder: Builder, name: str) -> None:
    """Fill ``builder``; raises ``UsageError`` for missing or duplicate ids, KeyError ... when malformed."""
    labels = _categories(document["categories"], builder, name)
    of_image = defaultdict(list)
    for annotation in document["annotations"]:
        of_image[_id(annotation["image_id"])].append(annotation)
    identities = [_id(image["id"]) for image in document["images"]]
    _refuse_doubled("image ids", identities, name)
    _refuse_lost(of_image, set(identities), name)
    _note_mixed_ids(document, builder, name)
    with_ids = _ids_are_usable(document["annotations"], name)
    crowds = sum(bool(one.get("iscrowd")) for one in document["annotations"])
    if crowds:
        builder.notes.append(
            f"{name}: {crowds:,} annotations are marked iscrowd: they count as objects, for"
            " CVAT marks every mask so"
        )
    for image in document["images"]:
        index = builder.add_image(
            _file_name(image), width=image.get("width") or 0, height=image.get("height") or 0
        )
        builder.image_ids[_id(image["id"])] = index
        for annotation in of_image[_id(image["id"])]:
            for part in annotation.get("segments_info", [annotation]):
                builder.add_of_format(
                    _label(part, labels, name), part.get("attributes") or {}, tag=False,
                    identity=part.get("id") if with_ids else None, box=_box(part),
                )  # fmt: skip


def _categories(categories: list[JsonObject], builder: Builder, name: str) -> dict[str, str]:
    labels = {_id(category["id"]): str(category["name"]) for category in categories}
    _refuse_doubled("category ids", [_id(category["id"]) for category in categories], name)
    parents = {category.get("supercategory") for category in categories}
    for category in categories:
        if not (category.get("supercategory") == "none" and category["name"] in parents):  # Roboflow's root
            builder.declare_label(str(category["name"]))
    builder.category_ids |= labels
    return labels


def _label(annotation: JsonObject, labels: dict[str, str], name: str) -> str:
    """The name of the category. Some files write the name in place of the id."""
    identity = _id(annotation["category_id"])
    if identity in labels:
        return labels[identity]
    if identity in labels.values():
        return identity
    raise UsageError(
        f"annotations: {name}: annotation {annotation.get('id')} has category_id {identity}, which is not"
        " among the categories: add the category or drop the annotation"
    )


def _id(value: object) -> str:
    """The id as text: 3, 3.0 and "3" are the same id."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _note_mixed_ids(document: JsonObject, builder: Builder, name: str) -> None:
    kinds = [
        {type(one) for one in ids}
        for ids in ([image["id"] for image in document["images"]],
                    [annotation["image_id"] for annotation in document["annotations"]])
    ]  # fmt: skip
    if all(kinds) and kinds[0] != kinds[1]:
        builder.notes.append(
            f"{name}: image ids are numbers in one list and text in the other: compared as text"
        )


def _refuse_doubled(what: str, identities: list[str], name: str) -> None:
    doubled = [one for one, count in Counter(identities).items() if count > 1]
    if doubled:
        raise UsageError(
            f"annotations: {name}: {len(doubled):,} {what} are used more than once (first: {doubled[0]}):"
            " annotations cannot be distinguished: renumber them, or export again"
        )


def _refuse_lost(of_image: JsonObject, known: set[str], name: str) -> None:
    lost = [identity for identity in of_image if identity not in known]
    if lost:
        count = sum(len(of_image[identity]) for identity in lost)
        raise UsageError(
            f"annotations: {name}: {count:,} annotations belong to {len(lost):,} image ids that are not among"
            f" the images (first: {lost[0]}): add the images or drop the annotations"
        )


def _ids_are_usable(annotations: list[JsonObject], name: str) -> bool:
    identities = [_id(one["id"]) for one in annotations if one.get("id") is not None]
    if len(identities) < len(annotations) or len(set(identities)) == 1:
        return len(identities) == 1 == len(annotations)
    _refuse_doubled("annotation ids", identities, name)
    return True


def _file_name(image: JsonObject) -> str:
    """The name of the image. LVIS gives only the URL."""
    address = str(image.get("coco_url") or image["id"])
    return str(image.get("file_name") or "/".join(address.split("/")[-2:]))


def _box(annotation: JsonObject) -> Box:
    box = annotation.get("bbox")
    if isinstance(box, list) and len(box) == 4:
        return float(box[0]), float(box[1]), float(box[2]), float(box[3])
    outlines = annotation.get("segmentation")
    if isinstance(outlines, list) and outlines and isinstance(outlines[0], list):
        across = [float(one) for outline in outlines for one in outline[::2]]
        down = [float(one) for outline in outlines for one in outline[1::2]]
        if across and down:
            return min(across), min(down), max(across) - min(across), max(down) - min(down)
    return NO_BOX
