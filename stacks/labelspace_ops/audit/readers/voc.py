"""Reads Pascal VOC: one XML file per image, in ``Annotations``."""

from __future__ import annotations

from typing import IO

from lxml import etree

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder
from labelspace_ops.core.errors import UsageError

FORMAT = "Pascal VOC"
ATTRIBUTES = ("pose", "truncated", "difficult")
FLAGS = {"0": "false", "1": "true"}


def read(file: IO[bytes], name: str, builder: Builder, images: set[tuple[str, str]]) -> None:
    """Add the image of a file with its objects; raises ``UsageError`` when the file is not VOC.

    ``images`` holds the folder and name of the images so far. A name that its folder has already is a
    placeholder of the tool that wrote it: then the image is named like its XML file.
    """
    try:
        root = etree.parse(file, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    except etree.XMLSyntaxError as error:
        raise UsageError(f"annotations: {name} is no valid XML: {error.msg}") from None
    if root.tag != "annotation":
        raise UsageError(f"annotations: {name}: its outermost element is not <annotation>, as VOC has it")
    builder.shared_attributes = True
    folder, _, stem = name.removesuffix(".xml").rpartition("/")
    folder = "" if folder == "Annotations" else folder.removesuffix("/Annotations")
    image = (root.findtext("filename") or "").strip()
    if not image or (folder, image) in images:
        image = f"{stem}.jpg"
    images.add((folder, image))
    builder.add_image(
        image, subset=folder,
        width=_number(root.findtext("size/width")), height=_number(root.findtext("size/height")),
    )  # fmt: skip
    for one in root.findall("object"):
        found = {key: value.strip() for key in ATTRIBUTES if (value := one.findtext(key)) is not None}
        found |= {
            attribute.findtext("name") or "": attribute.findtext("value") or ""
            for attribute in one.findall("attributes/attribute")
        }
        names = tuple(found)
        values = [FLAGS.get(value, value) if key != "pose" else value for key, value in found.items()]
        occluded = one.findtext("occluded")
        builder.add(
            (one.findtext("name") or "").strip(), names, values, tag=False, box=_box(one),
            occluded=-1 if occluded is None else int(occluded.strip() == "1"),
        )  # fmt: skip


def _number(value: str | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return 0.0


def _box(one: etree._Element) -> Box:
    try:
        left, top, right, bottom = (
            float(one.findtext(f"bndbox/{edge}") or "") for edge in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError:
        return NO_BOX
    return left, top, right - left, bottom - top
