"""An export without what is not to be learned: audit labels, audit attributes, and a subset that is held out.

What CVAT exports is cleaned afterwards, since CVAT itself cannot leave a label out. Read: CVAT for images 1.1
(streamed), Datumaro 1.0 and COCO 1.0.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from lxml import etree

from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.labels.model import Project

FORMATS = ("CVAT for images 1.1", "Datumaro 1.0", "COCO 1.0")
PARTS = ("version", "meta", "image", "track")


@dataclass(frozen=True)
class LeaveOut:
    """What goes: labels, attributes by label, and images of one subset where other subsets show them."""

    labels: frozenset[str] = frozenset({AUDIT_LABEL})
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    subset: str = ""
    images: frozenset[str] = frozenset()
    subsets: frozenset[str] = frozenset()
    """Whole subsets that go."""

    def attribute(self, label: str, name: str) -> bool:
        """Whether an attribute of a label goes."""
        return name in self.attributes.get(label, ())

    def image(self, name: str, subset: str) -> bool:
        """Whether an image of a subset goes."""
        return subset in self.subsets or (name in self.images and subset != self.subset)


def leave_out(project: Project | None, subset: str = "", images: frozenset[str] = frozenset()) -> LeaveOut:
    """By the audit block of the labels file; without one the label of that name alone."""
    names: dict[str, set[str]] = {}
    for one in project.audit if project else ():
        for label in one.objects:
            names.setdefault(label, set()).add(one.name)
    attributes = {label: frozenset(found) for label, found in names.items()}
    return LeaveOut(attributes=attributes, subset=subset, images=images)


def clean(source: Path, target: Path, out: LeaveOut) -> None:
    """Write the zip ``source`` without what goes to ``target``; raises ``UsageError`` for another format."""
    with zipfile.ZipFile(source) as have, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        names = have.namelist()
        if not any(_is_annotations(name) for name in names):
            raise UsageError(f"format: cannot be cleaned for training: choose one of {', '.join(FORMATS)}")
        for name in names:
            if not _is_held_out(name, out):
                with have.open(name) as file, made.open(name, "w", force_zip64=True) as to:
                    _cleaner(name)(file, to, out)


def _is_annotations(name: str) -> bool:
    return name == "annotations.xml" or (name.startswith("annotations/") and name.endswith(".json"))


def _is_held_out(name: str, out: LeaveOut) -> bool:
    """Images of an export lie under ``images/<subset>/``."""
    parts = name.split("/", 2)
    return len(parts) == 3 and parts[0] == "images" and out.image(parts[2], parts[1])


def _cleaner(name: str) -> Callable[[IO[bytes], IO[bytes], LeaveOut], None]:
    if not _is_annotations(name):
        return _copy
    if name.endswith(".xml"):
        return _xml
    subset = name.removesuffix(".json").rsplit("/", 1)[-1].removeprefix("instances_")

    def clean_json(file: IO[bytes], to: IO[bytes], out: LeaveOut) -> None:
        document = json.load(file)
        (_datumaro if "items" in document else _coco)(document, out, subset)
        to.write(json.dumps(document, ensure_ascii=False).encode())

    return clean_json


def _copy(file: IO[bytes], to: IO[bytes], _out: LeaveOut) -> None:
    while piece := file.read(2**20):
        to.write(piece)


def _xml(file: IO[bytes], to: IO[bytes], out: LeaveOut) -> None:
    """Part by part, so that the size of the export does not matter."""
    parts = etree.iterparse(file, tag=PARTS, resolve_entities=False, no_network=True, load_dtd=False)
    with etree.xmlfile(to, encoding="utf-8") as writer:
        writer.write_declaration()
        with writer.element("annotations"):
            for _, element in parts:
                if element.getparent() is None or element.getparent().tag != "annotations":
                    continue
                if _xml_part(element, out):
                    element.tail = "\n"
                    writer.write(element)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]


def _xml_part(element: Any, out: LeaveOut) -> bool:
    """Take out of a part what goes; whether the rest stays."""
    if element.tag == "meta":
        _xml_meta(element, out)
    if element.tag == "track":
        return element.get("label") not in out.labels
    if element.tag == "image":
        for child in list(element):
            if child.get("label") in out.labels:
                element.remove(child)
            else:
                _without(child, child.get("label", ""), lambda one: one.get("name", ""), out)
    return element.tag != "image" or not out.image(element.get("name", ""), element.get("subset", ""))


def _xml_meta(meta: Any, out: LeaveOut) -> None:
    for label in list(meta.iter("label")):
        name = label.findtext("name") or ""
        if name in out.labels and label.find("parent") is None:
            label.getparent().remove(label)
        for attributes in label.iter("attributes"):
            _without(attributes, name, lambda one: one.findtext("name") or "", out)


def _without(element: Any, label: str, name: Callable[[Any], str], out: LeaveOut) -> None:
    for one in list(element.iterchildren("attribute")):
        if out.attribute(label, name(one)):
            element.remove(one)


def _coco(document: dict[str, Any], out: LeaveOut, subset: str) -> None:
    """Categories keep their numbers: gaps are allowed."""
    gone = {one["id"] for one in document["images"] if out.image(one["file_name"], subset)}
    names = {one["id"]: one["name"] for one in document["categories"]}
    document["images"] = [one for one in document["images"] if one["id"] not in gone]
    document["categories"] = [one for one in document["categories"] if one["name"] not in out.labels]
    document["annotations"] = [
        {**one, "attributes": _kept(one.get("attributes", {}), names[one["category_id"]], out)}
        for one in document["annotations"]
        if names[one["category_id"]] not in out.labels and one["image_id"] not in gone
    ]


def _kept(attributes: dict[str, Any], label: str, out: LeaveOut) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if not out.attribute(label, name)}


def _datumaro(document: dict[str, Any], out: LeaveOut, subset: str) -> None:
    """A label's number is its place, so those after one that goes move up."""
    labels = document["categories"]["label"]["labels"]
    stays = [number for number, label in enumerate(labels)
             if label.get("parent") or label["name"] not in out.labels]  # fmt: skip
    place = {old: new for new, old in enumerate(stays)}
    names = [label["name"] for label in labels]
    document["categories"]["label"]["labels"] = [
        {**labels[old], "attributes": [one for one in labels[old].get("attributes", [])
                                       if not out.attribute(names[old], one)]}
        for old in stays
    ]  # fmt: skip
    skeletons = document["categories"].get("points", {"items": []})
    skeletons["items"] = [{**one, "label_id": place[one["label_id"]]} for one in skeletons["items"]]
    document["items"] = [
        {**item, "annotations": [_datumaro_one(one, place, names, out) for one in item["annotations"]
                                 if one.get("label_id") is None or one["label_id"] in place]}
        for item in document["items"]
        if not out.image(item.get("image", {}).get("path", item["id"]), subset)
    ]  # fmt: skip


def _datumaro_one(
    one: dict[str, Any], place: dict[int, int], names: list[str], out: LeaveOut
) -> dict[str, Any]:
    if one.get("label_id") is None:
        return one
    attributes = _kept(one.get("attributes", {}), names[one["label_id"]], out)
    elements = [_datumaro_one(point, place, names, out) for point in one.get("elements", [])]
    return {**one, "label_id": place[one["label_id"]], "attributes": attributes,
            **({"elements": elements} if elements else {})}  # fmt: skip
