"""Formats that people have: each is read with the right counts, as a file, a folder or a zip."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from labelspace_ops.audit import findings, measured, source
from labelspace_ops.audit.dataset import Builder, Dataset
from labelspace_ops.audit.readers import cvat_fast
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices

CATS = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 10, "height": 8}],
    "categories": [{"id": 1, "name": "cat"}],
}
ONE = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "attributes": None}]
VOC = """<annotation><folder>x</folder><filename>a.jpg</filename>
<size><width>10</width><height>8</height></size>
<object><name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>"""
VIDEO = """<annotations><meta><task><id>3</id><mode>interpolation</mode>
<original_size><width>10</width><height>8</height>
</original_size></task></meta><track id="0" label="cat">
<box frame="0" outside="0" occluded="1" xtl="1" ytl="2" xbr="4" ybr="6">
<attribute name="light">day</attribute></box>
<box frame="1" outside="1" occluded="0" xtl="1" ytl="2" xbr="4" ybr="6"/>
<box frame="2" outside="0" occluded="0" xtl="1" ytl="2" xbr="4" ybr="6"/></track></annotations>"""
STUDIO = [
    {
        "id": 1,
        "data": {"image": "/data/upload/a.jpg"},
        "annotations": [
            {"was_cancelled": True, "result": []},
            {
                "result": [
                    {
                        "id": "r1",
                        "type": "rectanglelabels",
                        "from_name": "label",
                        "original_width": 10,
                        "original_height": 8,
                        "value": {"x": 10, "y": 25, "width": 30, "height": 50, "rectanglelabels": ["cat"]},
                    },
                    {"id": "r1", "type": "choices", "from_name": "light", "value": {"choices": ["day"]}},
                ]
            },
        ],
    },
]
FILES: dict[str, dict[str, Any]] = {
    "coco": {"a.json": CATS | {"annotations": ONE}},
    "coco with text as ids": {
        "a.json": {
            "images": [{"id": "a1", "file_name": "a.jpg", "width": 10, "height": 8}],
            "categories": [{"id": 0, "name": "cat"}],
            "annotations": [{"id": "x-1", "image_id": "a1", "category_id": "0", "bbox": [1, 2, 3, 4]}],
        }
    },
    "coco with a name as category": {"a.json": CATS | {"annotations": [ONE[0] | {"category_id": "cat"}]}},
    "coco without ids": {
        "a.json": CATS | {"annotations": [{key: ONE[0][key] for key in ("image_id", "category_id", "bbox")}]}
    },
    "lvis": {
        "a.json": {
            "images": [{"id": 1, "coco_url": "http://x.invalid/val2017/a.jpg", "width": 10, "height": 8}],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": ONE,
        }
    },
    "panoptic": {
        "a.json": CATS
        | {
            "annotations": [
                {
                    "image_id": 1,
                    "file_name": "a.png",
                    "segments_info": [{"id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]}],
                }
            ]
        }
    },
    "captions next to instances": {
        "annotations/instances_val.json": CATS | {"annotations": ONE},
        "annotations/captions_val.json": {
            "images": CATS["images"],
            "annotations": [{"id": 1, "image_id": 1, "caption": "a cat"}],
        },
    },
    "keypoints next to instances": {
        "annotations/instances_val.json": CATS | {"annotations": ONE},
        "annotations/person_keypoints_val.json": CATS | {"annotations": ONE},
    },
    "roboflow": {
        "train/_annotations.coco.json": {
            "images": CATS["images"],
            "annotations": ONE,
            "categories": [
                {"id": 0, "name": "animals", "supercategory": "none"},
                {"id": 1, "name": "cat", "supercategory": "animals"},
            ],
        }
    },
    "voc": {"Annotations/a.xml": VOC},
    "cvat for video, one frame": {
        "annotations.xml": VIDEO.replace('frame="2" outside="0"', 'frame="2" outside="1"')
    },
    "label studio": {"project.json": STUDIO},
    "yolo": {"data.yaml": "names:\n  0: cat\n", "train/labels/a.txt": "0 0.25 0.5 0.3 0.5\n"},
    "yolo outlines": {"classes.txt": "cat\n", "labels/a.txt": "0 0.1 0.25 0.4 0.25 0.4 0.75 0.1 0.75\n"},
    "csv": {"labels.csv": "filename;label;xmin;ymin;xmax;ymax\na.jpg;cat;1;2;4;6\n"},
    "hugging face": {
        "train/metadata.jsonl": json.dumps(
            {"file_name": "a.jpg", "objects": {"bbox": [[1, 2, 3, 4]], "categories": ["cat"]}}
        )
    },
}
FRACTIONS = {"yolo", "yolo outlines"}
"""Without images their boxes have no pixels."""


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", ["folder", "zip", "file"])
@pytest.mark.parametrize("kind", FILES)
def test_one_cat_is_read_from_every_format(kind: str, form: str, tmp_path: Path) -> None:
    path = write(tmp_path / "export", FILES[kind])
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            for name in FILES[kind]:
                archive.write(path / name, name)
        path = tmp_path / "export.zip"
    elif form == "file":
        if len(FILES[kind]) > 1:
            pytest.skip("several files")
        path = path / next(iter(FILES[kind]))
    found = source.read(path)
    assert [found.labels[code] for code in found.label] == ["cat"]
    if kind not in FRACTIONS:
        assert found.box.tolist() == [[1, 2, 3, 4]]
    assert not found.tag.any()


@pytest.mark.parametrize("kind", ["captions next to instances", "keypoints next to instances"])
def test_files_that_are_passed_over_are_named(kind: str, tmp_path: Path) -> None:
    found = source.read(write(tmp_path, FILES[kind]))
    assert len(found.images) == 1
    assert "passed over" in found.notes[0]


def test_attributes_of_the_formats(tmp_path: Path) -> None:
    voc = source.read(write(tmp_path / "voc", FILES["voc"]))
    assert {name: column.values for name, column in voc.attributes.items()} == {
        "pose": ["Left"],
        "truncated": ["true"],
        "difficult": ["false"],
    }
    studio = source.read(write(tmp_path / "studio", FILES["label studio"]))
    assert studio.attributes["light"].values == ["day"]
    table = source.read(
        write(tmp_path / "csv", {"a.csv": "image,label,light\na.jpg,cat,day\nb.jpg,dog,night\n"})
    )
    assert table.tag.all()
    assert table.attributes["light"].values == ["day", "night"]


def test_a_video_is_one_sample_and_objects_outside_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(VIDEO)
    found = source.read(tmp_path / "a.xml")
    assert found.images == ["frame_000000", "frame_000002"]
    assert found.occluded.tolist() == [1, 0]
    assert len(set(found.cluster)) == 1


def test_yolo_takes_the_size_from_the_image(tmp_path: Path) -> None:
    write(tmp_path, {"data.yaml": "names: [cat]\n", "train/labels/a.txt": "0 0.25 0.5 0.3 0.5\n"})
    (tmp_path / "train" / "images").mkdir()
    Picture.new("RGB", (10, 8)).save(tmp_path / "train" / "images" / "a.png")
    found = source.read(tmp_path)
    assert found.images == ["train/images/a.png"]
    assert found.box[0] == pytest.approx([1, 2, 3, 4])
    assert found.subsets == ["train"]


def test_folders_of_images_are_classes(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/dog/b.png", "val/cat/a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Picture.new("RGB", (2, 2)).save(tmp_path / name)
    found = source.read(tmp_path)
    assert [found.labels[code] for code in found.label] == ["cat", "dog", "cat"]
    assert found.subsets == ["train", "train", "val"]


REFUSED = {
    "coco results": (
        '[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.9}]',
        "pass it with --predictions",
    ),
    "captions": (
        '{"images": [], "annotations": [{"id": 1, "image_id": 0, "caption": "x"}]}',
        "captions, no labels",
    ),
    "a list": ("[1, 2]", "a JSON list of no known format"),
    "a table without labels": ("a,b\n1,2\n", "expected one for the image"),
    "yolo class": ("7 0.1 0.1 0.1 0.1", "line 1: class 7 is not among the 1 names"),
    "yolo text": ("cat 0.1", "line 1: 'cat 0.1': expected a class and numbers"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_reader_that_fails_names_the_file_the_place_and_what_was_expected(
    kind: str, tmp_path: Path
) -> None:
    text, said = REFUSED[kind]
    name = "labels/a.txt" if kind.startswith("yolo") else "a.csv" if "table" in kind else "a.json"
    write(tmp_path, {name: text, **({"classes.txt": "cat\n"} if kind.startswith("yolo") else {})})
    with pytest.raises(UsageError) as refused:
        source.read(tmp_path if kind.startswith("yolo") else tmp_path / name)
    assert said in str(refused.value)
    assert name in str(refused.value)


# The fast reader of CVAT's XML


def same(first: Dataset, second: Dataset) -> None:
    for name in ("image", "label", "tag", "identity", "box", "occluded", "sizes"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert (first.images, first.subsets, first.labels) == (second.images, second.subsets, second.labels)
    assert first.attributes.keys() == second.attributes.keys()
    for name, column in first.attributes.items():
        texts = [
            [one.values[code] if code >= 0 else None for code in one.codes]
            for one in (column, second.attributes[name])
        ]
        assert texts[0] == texts[1]


BOX = '<box label="{}" xtl="1" ytl="1" xbr="2" ybr="2">{}</box>'
VALUE = '<attribute name="x">{}</attribute>'
WRITTEN = (
    '<box label="{}" source="manual" occluded="{}" xtl="-1.50" ytl="1" xbr="2.25" ybr="4.00"{}>\n      {}\n'
    "    </box>\n"
)
"""A box with the attributes in CVAT's order."""
PIECES = {
    "boxes as CVAT writes them": WRITTEN.format("a", 0, ' z_order="0"', VALUE.format("day"))
    + WRITTEN.format("größe", 1, ' rotation="30.00" z_order="0" group_id="3"', VALUE.format("night") * 2)
    + '<box label="a" source="manual" occluded="0" xtl="1" ytl="1" xbr="2" ybr="2" z_order="0"/>',
    "a box and a polygon": WRITTEN.format("a", 0, "", VALUE.format("day"))
    + '<polygon label="b" occluded="1" points="1,2;5,3;2,9"/>',
    "a box with an entity": WRITTEN.format("a", 0, "", VALUE.format("day"))
    + WRITTEN.format("a", 1, "", VALUE.format("&lt;day&gt;")),
    "a box with a comment": WRITTEN.format("a", 0, "", f"<!-- </box> -->{VALUE.format('day')}"),
    "polygons": '<polygon label="b" occluded="1" points="1,2;5,3;2,9"/><polyline label="c" points="1,1"/>',
    "ellipses": '<ellipse label="a" cx="4" cy="4" rx="1" ry="2"></ellipse>',
    "masks": '<mask label="a" rle="1, 2" left="1" top="2" width="3" height="4"/>',
    "entities": BOX.format("a &amp; b", VALUE.format("&lt;day&gt;")),
    "skeletons": f'<skeleton label="man"><points label="nose" points="1,1">{VALUE}</points></skeleton>',
    "comments": f"<!-- a <box> -->{BOX.format('a', '')}",
    "tags": f'<tag label="audit">{VALUE.format("day")}</tag><tag label="a" source="manual"></tag>',
}


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("chunk", [200, 2**20])
def test_the_fast_reader_reads_what_the_general_one_reads(
    piece: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = (
        "".join(
            f'<image id="{n}" name="größe/{n}.jpg" width="10" height="8" subset="s{n % 2}">'
            f"{PIECES[piece]}</image>\n"
            for n in range(9)
        )
        + '<image id="9" name="empty.jpg" width="1" height="1"/>'
    )
    (tmp_path / "a.xml").write_text(f"<annotations><meta></meta>{images}</annotations>", encoding="utf-8")
    monkeypatch.setattr(cvat_fast, "CHUNK", chunk)
    monkeypatch.setattr(cvat_fast, "POOL_FROM", 10**9)
    fast = source.read(tmp_path / "a.xml")

    def refuse(*_: object) -> str:
        raise cvat_fast.NotPlain

    monkeypatch.setattr(cvat_fast, "read", refuse)
    same(fast, source.read(tmp_path / "a.xml"))
    assert len(fast.label) >= 9


def test_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = "".join(
        f'<image id="{n}" name="{n}.jpg" width="10" height="8">'
        f"{BOX.format('ab'[n % 2], VALUE.format(n % 7))}</image>"
        for n in range(400)
    )
    (tmp_path / "a.xml").write_text(f"<annotations><meta></meta>{images}</annotations>")
    whole = source.read(tmp_path / "a.xml")
    monkeypatch.setattr(cvat_fast, "CHUNK", 4000)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    same(whole, source.read(tmp_path / "a.xml"))
    assert len(whole.label) == 400


def test_an_annotation_takes_few_bytes() -> None:
    names = tuple(f"condition {number}" for number in range(20))
    builder = Builder()
    for number in range(1000):
        builder.add_image(f"{number}.jpg")
        values = [f"value {(number + place) % 4}" for place in range(20)]
        builder.add("car", names, values, tag=False, box=(1, 2, 3, 4), occluded=0)
    found = builder.build("made up")
    columns = [found.image, found.label, found.tag, found.identity, found.box, found.occluded]
    codes = [column.codes for column in found.attributes.values()]
    assert len(codes) == 20
    assert sum(one.nbytes for one in codes) == 20 * 1000, "a byte for each of four values"
    assert sum(one.nbytes for one in columns) <= 28 * 1000


def test_more_values_than_a_byte_holds_are_read() -> None:
    parts = [Builder() for _ in range(2)]
    for part, builder in enumerate(parts):
        for number in range(200):
            builder.add_image(f"{part}/{number}.jpg")
            builder.add("car", ("plate",), [f"plate {part * 100 + number}"], tag=False)
    parts[0].absorb(parts[1])
    plates = parts[0].build("made up").attributes["plate"]
    expected = [f"plate {part * 100 + number}" for part in range(2) for number in range(200)]
    assert [plates.values[code] for code in plates.codes] == expected
    assert plates.codes.dtype == np.int16


def test_a_mask_of_eleven_megabytes_is_read(tmp_path: Path) -> None:
    outline = "1, 2, " * (11 * 2**20 // 6) + "1"
    mask = f'<mask label="cat" rle="{outline}" left="0" top="0" width="2" height="2"/>'
    text = f'<annotations><image name="a" width="9" height="9">{mask}</image></annotations>'
    (tmp_path / "a.xml").write_text(text)
    assert len(source.read(tmp_path / "a.xml").label) == 1
    (tmp_path / "b.xml").write_text(
        text.replace("<image", "<!-- x --><image").replace(
            "<annotations>", '<?xml version="1.0" encoding="iso-8859-1"?><annotations>'
        )
    )
    assert len(source.read(tmp_path / "b.xml").label) == 1


# Conditions that nobody annotated


def test_sizes_places_and_crowding_give_findings_without_attributes(tmp_path: Path) -> None:
    annotations = [
        {
            "id": n,
            "image_id": n % 100,
            "category_id": 1 + n % 2,
            "bbox": [0, 0, 10, 20] if n % 2 else [300, 100, 120, 110],
        }
        for n in range(200)
    ]
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in range(100)]
    document = {
        "images": images,
        "categories": [{"id": 1, "name": "near"}, {"id": 2, "name": "far"}],
        "annotations": annotations,
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = findings.audit_file(tmp_path / "a.json", Choices()).found
    names = {row["attribute"] for row in found["associations"] if row["suspicious"] and row["measured"]}
    assert {"object size", "object shape", "position across", "touches the edge"} <= names
    assert found["attributes"]["object size"]["values"] == {"small": 100, "medium": 0, "large": 100}


def test_images_tell_brightness_colour_and_time_and_show_examples(tmp_path: Path) -> None:
    lines = ["image,label"]
    for n in range(60):
        dark = n % 2
        picture = Picture.new("RGB", (20, 20), (20, 20, 20) if dark else (255, 200, 60))
        exif = picture.getexif()
        exif.get_ifd(0x8769)[36867] = f"2026:11:27 {'23' if dark else '12'}:30:00"
        picture.save(tmp_path / f"{n}.jpg", exif=exif)
        lines.append(f"{n}.jpg,{'owl' if dark else 'bee'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    audit = findings.audit_file(tmp_path / "labels.csv", Choices(), images=tmp_path)
    values = {
        name: audit.found["attributes"][name]["values"] for name in ("brightness", "colour", "time of day")
    }
    assert values["brightness"] == {"dark": 30, "medium": 0, "bright": 30}
    assert values["time of day"] == {"night": 30, "morning": 0, "day": 30, "evening": 0}
    findings.write(audit, tmp_path / "out")
    assert "data:image/jpeg;base64," in (tmp_path / "out" / "report.html").read_text()
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="holds none of the 60 images"):
        findings.audit_file(tmp_path / "labels.csv", Choices(), images=tmp_path / "none")


def test_the_image_size_in_a_table_of_box_corners_is_no_attribute(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,10,8,cat,1,2,4,6\n"
    )
    found = source.read(tmp_path / "a.csv")
    assert (found.sizes.tolist(), found.box.tolist()) == ([[10, 8]], [[1, 2, 3, 4]])
    assert not found.attributes
    assert not found.passed_over


def test_an_attribute_that_names_every_item_is_left_out(tmp_path: Path) -> None:
    lines = [f"{n}.jpg,{'ab'[n % 2]},address {n}" for n in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["image,label,url", *lines]))
    found = findings.audit_file(tmp_path / "a.csv", Choices()).found
    assert "url" not in found["attributes"]
    assert any("url: a different value for almost every item" in note for note in found["notes"])


def test_task_job_and_annotator_are_conditions_where_the_export_names_them(tmp_path: Path) -> None:
    """Two tasks of a project; the first has two jobs; images are numbered within their task."""
    parts = ((5, "front", (0, 1), ((7, 0, 0), (8, 1, 1)), "ann"), (6, "back", (0,), ((9, 0, 0),), ""))
    meta = images = ""
    for task, name, frames, jobs, person in parts:
        segments = "".join(
            f"<segment><id>{job}</id><start>{first}</start><stop>{last}</stop>"
            f"<url>http://x/api/jobs/{job}</url></segment>"
            for job, first, last in jobs
        )
        assignee = (
            f"<assignee><username>{person}</username></assignee>" if person else "<assignee></assignee>"
        )
        meta += f"<task><id>{task}</id><name>{name}</name><segments>{segments}</segments>{assignee}</task>"
        images += "".join(
            f'<image id="{n}" name="{name}{n}" task_id="{task}" width="9" height="9">'
            '<tag label="cat" source="manual"></tag></image>'
            for n in frames
        )
    (tmp_path / "a.xml").write_text(
        f"<annotations><meta><project><tasks>{meta}</tasks></project></meta>{images}</annotations>"
    )
    dataset = source.read(tmp_path / "a.xml")
    columns = measured.columns(dataset, np.arange(3), "image")
    values = {
        name: [columns[name].values[code] for code in columns[name].codes]
        for name in ("task", "job", "annotator")
    }
    assert values == {
        "task": ["front", "front", "back"],
        "job": ["job 7", "job 8", "job 9"],
        "annotator": ["ann", "ann", "(none)"],
    }
