"""Exports without what a model must not learn: audit labels, audit attributes, and a held-out subset.

CVAT cannot leave out a label, so its export is cleaned. Formats: CVAT for images 1.1 (streamed), Datumaro 1.0
and COCO 1.0.
"""

from __future__ import annotations

import json
import shutil
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

Json = dict[str, Any]
"""An object of an exported JSON file; keys that are not used here must survive."""


@dataclass(frozen=True)
class LeaveOut:
    """What is left out: labels, attributes by label, whole subsets, and images outside of ``subset``."""

    labels: frozenset[str] = frozenset({AUDIT_LABEL})
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    subset: str = ""
    images: frozenset[str] = frozenset()
    subsets: frozenset[str] = frozenset()

    def attribute(self, label: str, name: str) -> bool:
        """Whether an attribute of a label is left out."""
        return name in self.attributes.get(label, ())

    def image(self, name: str, subset: str) -> bool:
        """Whether an image of a subset is left out."""
        return subset in self.subsets or (name in self.images and subset != self.subset)

    def rest(self, attributes: Json, label: str) -> Json:
        """The attributes of a label that are not left out."""
        return {name: value for name, value in attributes.items() if not self.attribute(label, name)}


def leave_out(project: Project | None, subset: str = "", images: frozenset[str] = frozenset()) -> LeaveOut:
    """Return what the labels file's audit block leaves out; without a block, only the audit label."""
    names: dict[str, set[str]] = {}
    for one in project.audit if project else ():
        for label in one.objects:
            names.setdefault(label, set()).add(one.name)
    attributes = {label: frozenset(found) for label, found in names.items()}
    return LeaveOut(attributes=attributes, subset=subset, images=images)


def clean(source: Path, target: Path, out: LeaveOut) -> None:
    """Write the zip ``source`` to ``target`` without what is left out; raises ``UsageError``."""
    with zipfile.ZipFile(source) as export, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as cleaned:
        names = export.namelist()
        if not any(_is_annotations(name) for name in names):
            raise UsageError(f"format: cannot be cleaned for training: choose one of {', '.join(FORMATS)}")
        for name in names:
            if not _is_held_out(name, out):
                with export.open(name) as file, cleaned.open(name, "w", force_zip64=True) as to:
                    _cleaner(name)(file, to, out)


def _is_annotations(name: str) -> bool:
    return name == "annotations.xml" or (name.startswith("annotations/") and name.endswith(".json"))


def _is_held_out(name: str, out: LeaveOut) -> bool:
    """Whether a file of the export is a left-out image: they are in ``images/<subset>/``."""
    parts = name.split("/", 2)
    return len(parts) == 3 and parts[0] == "images" and out.image(parts[2], parts[1])


def _cleaner(name: str) -> Callable[[IO[bytes], IO[bytes], LeaveOut], None]:
    if not _is_annotations(name):
        return lambda file, to, _out: shutil.copyfileobj(file, to, 2**20)
    if name.endswith(".xml"):
        return _xml
    subset = name.removesuffix(".json").rsplit("/", 1)[-1].removeprefix("instances_")

    def clean_json(file: IO[bytes], to: IO[bytes], out: LeaveOut) -> None:
        document = json.load(file)
        (_datumaro if "items" in document else _coco)(document, out, subset)
        to.write(json.dumps(document, ensure_ascii=False).encode())

    return clean_json


def _xml(file: IO[bytes], to: IO[bytes], out: LeaveOut) -> None:
    """Clean element by element, so that memory does not grow with the export."""
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
    """Clean an element; return whether it is written."""
    if element.tag == "meta":
        _xml_meta(element, out)
    if element.tag == "track":
        return element.get("label") not in out.labels
    if element.tag == "image":
        for child in list(element):
            if child.get("label") in out.labels:
                element.remove(child)
            else:
                _remove_attributes(child, child.get("label", ""), lambda one: one.get("name", ""), out)
    return element.tag != "image" or not out.image(element.get("name", ""), element.get("subset", ""))


def _xml_meta(meta: Any, out: LeaveOut) -> None:
    for label in list(meta.iter("label")):
        name = label.findtext("name") or ""
        if name in out.labels and label.find("parent") is None:
            label.getparent().remove(label)
        for attributes in label.iter("attributes"):
            _remove_attributes(attributes, name, lambda one: one.findtext("name") or "", out)


def _remove_attributes(element: Any, label: str, name: Callable[[Any], str], out: LeaveOut) -> None:
    for one in list(element.iterchildren("attribute")):
        if out.attribute(label, name(one)):
            element.remove(one)


def _coco(document: Json, out: LeaveOut, subset: str) -> None:
    """Clean a COCO file; ids of categories do not change, as gaps are allowed."""
    removed = {one["id"] for one in document["images"] if out.image(one["file_name"], subset)}
    names = {one["id"]: one["name"] for one in document["categories"]}
    document["images"] = [one for one in document["images"] if one["id"] not in removed]
    document["categories"] = [one for one in document["categories"] if one["name"] not in out.labels]
    document["annotations"] = [
        {**one, "attributes": out.rest(one.get("attributes", {}), names[one["category_id"]])}
        for one in document["annotations"]
        if names[one["category_id"]] not in out.labels and one["image_id"] not in removed
    ]


def _datumaro(document: Json, out: LeaveOut, subset: str) -> None:
    """Clean a Datumaro file. A label's id is its index, so the labels after a removed one get new ids."""
    labels = document["categories"]["label"]["labels"]
    remaining = [number for number, label in enumerate(labels)
                 if label.get("parent") or label["name"] not in out.labels]  # fmt: skip
    new_ids = {old: new for new, old in enumerate(remaining)}
    names = [label["name"] for label in labels]
    document["categories"]["label"]["labels"] = [
        {**labels[old], "attributes": [one for one in labels[old].get("attributes", [])
                                       if not out.attribute(names[old], one)]}
        for old in remaining
    ]  # fmt: skip
    skeletons = document["categories"].get("points", {"items": []})
    skeletons["items"] = [{**one, "label_id": new_ids[one["label_id"]]} for one in skeletons["items"]]
    document["items"] = [
        {**item, "annotations": [_datumaro_annotation(one, new_ids, names, out) for one in item["annotations"]
                                 if one.get("label_id") is None or one["label_id"] in new_ids]}
        for item in document["items"]
        if not out.image(item.get("image", {}).get("path", item["id"]), subset)
    ]  # fmt: skip


def _datumaro_annotation(one: Json, new_ids: dict[int, int], names: list[str], out: LeaveOut) -> Json:
    if one.get("label_id") is None:
        return one
    attributes = out.rest(one.get("attributes", {}), names[one["label_id"]])
    elements = [_datumaro_annotation(point, new_ids, names, out) for point in one.get("elements", [])]
    return {**one, "label_id": new_ids[one["label_id"]], "attributes": attributes,
            **({"elements": elements} if elements else {})}  # fmt: skip
