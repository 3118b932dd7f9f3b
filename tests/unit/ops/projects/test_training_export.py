"""Exports for training, in each format that can be cleaned."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from labelspace_ops.audit import source
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels import labels_file
from labelspace_ops.projects import training_export

OUT = training_export.leave_out(
    labels_file.parse({"projects": [{"name": "P", "labels": [{"name": "person"}, {"name": "car"}], "audit": [
        {"name": "light", "kind": "condition", "values": ["day"]},
        {"name": "gender", "kind": "protected", "values": ["woman"], "objects": ["person"]},
    ]}]}, "x").projects[0],
    "held", frozenset({"b.png"}),
)  # fmt: skip
XML = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><project><labels>
    <label><name>person</name><attributes>
      <attribute><name>gender</name><input_type>select</input_type></attribute>
      <attribute><name>pose</name><input_type>select</input_type></attribute></attributes></label>
    <label><name>audit</name><attributes><attribute><name>light</name></attribute></attributes></label>
    <label><name>car</name><attributes><attribute><name>gender</name></attribute></attributes></label>
  </labels></project></meta>
  <image id="0" name="a.png" subset="train" width="8" height="8">
    <box label="person"><attribute name="gender">woman</attribute>
      <attribute name="pose">sits</attribute></box>
    <tag label="audit"><attribute name="light">day</attribute></tag>
    <box label="car"><attribute name="gender">none</attribute></box>
  </image>
  <image id="1" name="b.png" subset="train" width="8" height="8"><tag label="person"></tag></image>
  <image id="0" name="b.png" subset="held" width="8" height="8"><tag label="person"></tag></image>
  <image id="1" name="c.png" subset="held" width="8" height="8"></image>
</annotations>
"""


def cleaned(tmp_path: Path, members: dict[str, str]) -> zipfile.ZipFile:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    training_export.clean(tmp_path / "in.zip", tmp_path / "out.zip", OUT)
    return zipfile.ZipFile(tmp_path / "out.zip")


def test_cvat_for_images(tmp_path: Path) -> None:
    images = {f"images/{subset}/{name}": "x" for subset, name in
              (("train", "a.png"), ("train", "b.png"), ("held", "b.png"), ("held", "c.png"))}  # fmt: skip
    made = cleaned(tmp_path, {"annotations.xml": XML, **images})
    assert made.namelist() == [
        "annotations.xml",
        "images/train/a.png",
        "images/held/b.png",
        "images/held/c.png",
    ]
    root = etree.fromstring(made.read("annotations.xml"))
    assert [one.text for one in root.iterfind("meta//label/name")] == ["person", "car"]
    assert [one.text for one in root.iterfind("meta//attribute/name")] == ["pose", "gender"]
    shown = [(one.get("name"), one.get("subset"), [child.get("label") for child in one])
             for one in root.iterfind("image")]  # fmt: skip
    assert shown == [
        ("a.png", "train", ["person", "car"]), ("b.png", "held", ["person"]), ("c.png", "held", []),
    ]  # fmt: skip
    assert [(one.get("name"), one.text) for one in root.iterfind("image//attribute")] == [
        ("pose", "sits"), ("gender", "none"),
    ]  # fmt: skip
    assert root.findtext("version") == "1.1"
    assert source.read(tmp_path / "out.zip").labels == ["person", "car"]


def test_a_whole_subset_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("annotations.xml", XML)
    copies = training_export.LeaveOut(labels=frozenset(), subsets=frozenset({"held"}))
    training_export.clean(tmp_path / "in.zip", tmp_path / "out.zip", copies)
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        root = etree.fromstring(made.read("annotations.xml"))
    assert [one.get("name") for one in root.iterfind("image")] == ["a.png", "b.png"]
    assert len(root.findall("image/tag[@label='audit']")) == 1


def test_datumaro_labels_get_new_ids(tmp_path: Path) -> None:
    def one(label: int, **attributes: str) -> dict[str, Any]:
        return {"type": "label", "label_id": label, "attributes": attributes}

    labels = [
        {"name": "audit", "attributes": ["light"]},
        {"name": "person", "attributes": ["gender", "pose"]},
    ]
    items = [
        {"id": "a", "image": {"path": "a.png"}, "annotations": [one(0, light="day"),
                                                                one(1, gender="woman", pose="sits")]},
        {"id": "b", "image": {"path": "b.png"}, "annotations": [one(1)]},
    ]  # fmt: skip
    document = json.dumps({"categories": {"label": {"labels": labels}}, "items": items})
    made = cleaned(tmp_path, {"annotations/train.json": document, "annotations/held.json": document})
    train, held = (json.loads(made.read(f"annotations/{name}.json")) for name in ("train", "held"))
    assert train["categories"]["label"]["labels"] == [{"name": "person", "attributes": ["pose"]}]
    assert [(item["id"], item["annotations"]) for item in train["items"]] == [("a", [one(0, pose="sits")])]
    assert [item["id"] for item in held["items"]] == ["a", "b"]


def test_the_points_of_a_skeleton_get_new_ids(tmp_path: Path) -> None:
    labels = [{"name": "audit"}, {"name": "person"}, {"name": "audit", "parent": "person"}]
    point = {"type": "points", "label_id": 2, "points": [1, 1], "attributes": {}}
    body = {"type": "skeleton", "label_id": 1, "attributes": {"gender": "woman"}, "elements": [point]}
    document = {
        "categories": {
            "label": {"labels": labels},
            "points": {"items": [{"label_id": 1, "labels": ["audit"], "joints": []}]},
        },
        "items": [{"id": "a", "image": {"path": "a.png"}, "annotations": [body]}],
    }
    made = cleaned(tmp_path, {"annotations/train.json": json.dumps(document)})
    found = json.loads(made.read("annotations/train.json"))
    assert [one["name"] for one in found["categories"]["label"]["labels"]] == ["person", "audit"]
    assert found["categories"]["points"]["items"] == [{"label_id": 0, "labels": ["audit"], "joints": []}]
    assert found["items"][0]["annotations"] == [
        {"type": "skeleton", "label_id": 0, "attributes": {}, "elements": [{**point, "label_id": 1}]}
    ]


def test_coco_categories_keep_their_ids(tmp_path: Path) -> None:
    document = {
        "categories": [{"id": 1, "name": "audit"}, {"id": 2, "name": "person"}],
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 2, "attributes": {"gender": "woman", "pose": "sits"}},
            {"id": 2, "image_id": 1, "category_id": 1, "attributes": {}},
            {"id": 3, "image_id": 2, "category_id": 2, "attributes": {}},
        ],
    }
    made = cleaned(tmp_path, {"annotations/instances_train.json": json.dumps(document)})
    found = json.loads(made.read("annotations/instances_train.json"))
    assert found["categories"] == [{"id": 2, "name": "person"}]
    assert [image["id"] for image in found["images"]] == [1]
    assert found["annotations"] == [{**document["annotations"][0], "attributes": {"pose": "sits"}}]


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose one of CVAT for images"):
        cleaned(tmp_path, {"labels/a.txt": "0 0 0 1 1"})


def test_without_an_audit_block_only_the_audit_label_is_left_out() -> None:
    assert training_export.leave_out(None) == training_export.LeaveOut(
        frozenset({"audit"}), {}, "", frozenset()
    )
