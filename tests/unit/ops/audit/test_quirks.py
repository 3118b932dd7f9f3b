"""Quirks of real files: each is read right, noted, or refused with the place."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.ops.audit import made
from tests.unit.ops.audit.made import Image, Mark, run

from labelspace_ops.audit import findings, source
from labelspace_ops.audit.dataset import Builder, Dataset
from labelspace_ops.audit.predictions import Prediction
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def labels_of(found: Dataset) -> list[str]:
    return [found.labels[code] for code in found.label]


def coco(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [{"id": n, "image_id": n, "category_id": n, "bbox": [1, 2, 3, 4]} for n in (1, 2)],
    }
    return found | changes


def voc(name: str, label: str) -> str:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>"
    return f"<annotation><filename>{name}</filename><object><name>{label}</name>{box}</object></annotation>"


def datumaro(label: int) -> str:
    items = [{"id": "a", "annotations": [{"id": 0, "type": "bbox", "label_id": label, "bbox": [1, 2, 3, 4]}]}]
    return json.dumps({"categories": {"label": {"labels": [{"name": "cat"}]}}, "items": items})


# Annotations


def test_voc_files_of_two_folders_with_the_same_names_are_different_images(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"train/0.xml": voc("0.jpg", "cat"), "val/0.xml": voc("0.jpg", "dog")}
    audit = findings.audit_file(write(tmp_path, files), Choices())
    assert (audit.found["images"], audit.found["classes"]) == (2, {"cat": 1, "dog": 1})


def test_voc_files_that_all_name_the_same_image_are_named_like_their_file(tmp_path: Path) -> None:
    found = source.read(write(tmp_path, {f"{n}.xml": voc("image.jpg", "cat") for n in range(3)}))
    assert found.images == ["image.jpg", "1.jpg", "2.jpg"]


def test_files_that_macos_adds_to_a_zip_are_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("__MACOSX/annotations/._instances_a.json", b"\0\5\x16\7")
        archive.writestr("annotations/instances_a.json", json.dumps(coco()))
    assert labels_of(source.read(tmp_path / "a.zip")) == ["cat", "dog"]


def test_json_in_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(coco()).encode("utf-16"))
    assert labels_of(source.read(path)) == ["cat", "dog"]


def test_lists_of_images_next_to_instances_are_passed_over(tmp_path: Path) -> None:
    alone = {"images": [{"id": 9, "file_name": "9.jpg"}], "categories": []}
    files: dict[str, str | bytes] = {
        "annotations/instances_val.json": json.dumps(coco()),
        "annotations/image_info_test.json": json.dumps(alone),
    }
    found = source.read(write(tmp_path, files))
    assert len(found.images) == 2
    assert "image_info_test.json holds images or captions" in found.notes[0]


def test_crowds_of_coco_are_counted_and_noted(tmp_path: Path) -> None:
    document = coco()
    document["annotations"][0]["iscrowd"] = 1
    found = source.read(write(tmp_path, {"a.json": json.dumps(document)}) / "a.json")
    assert len(found.label) == 2
    assert "1 annotations are marked iscrowd" in found.notes[0]


@pytest.mark.parametrize("label", [-1, 7])
def test_a_label_id_without_a_label_is_refused(label: int, tmp_path: Path) -> None:
    write(tmp_path, {"a.json": datumaro(label)})
    with pytest.raises(UsageError, match=rf"item a has label_id {label}, but there are 1 labels"):
        source.read(tmp_path / "a.json")


def test_yolo_as_cvat_exports_it_is_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "obj.names": "cat\ndog\n", "obj.data": "classes = 2\n", "train.txt": "data/obj_train_data/a.jpg\n",
        "obj_train_data/a.txt": "1 0.5 0.5 0.1 0.1\n",
    }  # fmt: skip
    assert labels_of(source.read(write(tmp_path, files))) == ["dog"]


def test_the_box_of_a_yolo_pose_comes_before_its_points(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "data.yaml": "kpt_shape: [2, 3]\nnames: [cat]\n",
        "labels/train/a.txt": "0 0.5 0.5 0.2 0.4 0.9 0.9 2 0.1 0.1 2\n",
    }
    found = source.read(write(tmp_path, files))
    assert found.box[0] == pytest.approx([0.4, 0.3, 0.2, 0.4])
    assert found.images == ["images/train/a.jpg"], "its image is in no folder here"


YOLO = {
    "a number for the names": (
        {"data.yaml": "names: 5\n"},
        "0 .5 .5 .1 .1",
        "data.yaml holds no list `names`",
    ),
    "names that are not UTF-8": ({"data.yaml": b"names: [ch\xe4t]\n"}, "0 .5 .5 .1 .1", "in UTF-8"),
    "no names": ({}, "0 .5 .5 .1 .1", "add data.yaml or classes.txt"),
    "too few numbers": ({"classes.txt": "cat\n"}, "0 .5 .5", "expected after the class a box"),
    "pixels": ({"classes.txt": "cat\n"}, "0 320 240 100 50", "as fractions of the image's width"),
}


@pytest.mark.parametrize("kind", YOLO)
def test_yolo_that_cannot_be_read_is_refused_with_the_place(kind: str, tmp_path: Path) -> None:
    files, line, said = YOLO[kind]
    with pytest.raises(UsageError) as refused:
        source.read(write(tmp_path, {**files, "labels/a.txt": line}))  # type: ignore[dict-item]
    assert said in str(refused.value)


TABLES = {
    "sep=": "sep=;\nimage;label\na.jpg;cat\nb.jpg;dog\n",
    "only carriage returns": "image,label\ra.jpg,cat\rb.jpg,dog\r",
    "row numbers of pandas": ",image,label\n0,a.jpg,cat\n1,b.jpg,dog\n",
    "blank lines": "\nimage,label\n\na.jpg,cat\n\nb.jpg,dog\n",
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_as_programs_write_them_are_read(kind: str, tmp_path: Path) -> None:
    found = source.read(write(tmp_path, {"a.csv": TABLES[kind]}) / "a.csv")
    assert labels_of(found) == ["cat", "dog"]
    assert not found.attributes


def test_a_line_break_in_a_cell_stays_in_the_cell(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": 'image,label,text\na.jpg,cat,"one\ntwo"\nb.jpg,dog,x\u2028y\n'})
    found = source.read(tmp_path / "a.csv")
    assert found.attributes["text"].values == ["one\ntwo", "x\u2028y"]


BROKEN = {
    "two columns of one name": ("image,label,label\na,cat,dog\n", "two columns 'label'"),
    "more cells than columns": ("image,label\na,cat,dog\n", "line 2: 3 cells, but the header has 2"),
    "corners that are no numbers": (
        "image,label,xmin,ymin,xmax,ymax\na,cat,left,1,2,2\n",
        "row 1: the box in xmin, ymin, xmax, ymax is no four numbers",
    ),
    "nothing": ("", "is empty"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_tables_that_would_be_misread_are_refused(kind: str, tmp_path: Path) -> None:
    text, said = BROKEN[kind]
    with pytest.raises(UsageError) as refused:
        source.read(write(tmp_path, {"a.csv": text}) / "a.csv")
    assert said in str(refused.value)


JSON_LINES = {
    "no object": ("[1, 2]", "line 1 is no JSON object"),
    "fewer categories than boxes": (
        '{"file_name": "a", "objects": {"bbox": [[1, 2, 3, 4], [1, 2, 3, 4]], "categories": [0]}}',
        "line 1: 1 categories and 2 boxes",
    ),
    "a box of three numbers": (
        '{"file_name": "a", "objects": {"bbox": [[1, 2, 3]], "categories": [0]}}',
        "line 1",
    ),
}


@pytest.mark.parametrize("kind", JSON_LINES)
def test_lines_of_json_that_would_be_misread_are_refused(kind: str, tmp_path: Path) -> None:
    text, said = JSON_LINES[kind]
    with pytest.raises(UsageError) as refused:
        source.read(write(tmp_path, {"metadata.jsonl": text}))
    assert said in str(refused.value)


def test_further_annotations_of_label_studio_are_noted(tmp_path: Path) -> None:
    choice = {"type": "choices", "from_name": "class", "value": {"choices": ["cat"]}}
    task = {"data": {"image": "a.jpg"}, "annotations": [{"result": [choice]}, {"result": [choice]}]}
    found = source.read(write(tmp_path, {"a.json": json.dumps([task])}) / "a.json")
    assert found.notes == ["1 tasks have more than one annotation: the first of each counts"]


# Items


def test_an_annotation_without_a_label_is_no_class(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "image,label\na,cat\nb,\nc,nan\nd,dog\n"})
    found = findings.audit_file(tmp_path / "a.csv", Choices()).found
    assert (found["classes"], found["unlabelled_images"]) == ({"cat": 1, "dog": 1}, 2)
    assert "2 annotations have no label: left out" in found["notes"]


def test_repeated_tags_and_copies_are_counted_in_the_notes(tmp_path: Path) -> None:
    marks = [Mark("cat", kind="tag"), Mark("cat", kind="tag")]
    notes = run(tmp_path, [Image("a", marks), Image("b", marks), Image("b", marks)]).found["notes"]
    assert "2 tags repeat a tag of their image: each counts once" in notes
    assert any("1 images are there more than once" in note and "(2 items" in note for note in notes)


def test_the_folder_of_an_image_is_no_condition_where_it_is_the_class(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{'cat' if n % 2 else 'dog'}/{n}.png": b"" for n in range(40)}
    found = findings.audit_file(write(tmp_path, files), Choices()).found
    assert found["attributes"] == {}
    assert "No class was compared with others" in found["summary"][1]


def test_a_folder_for_each_subset_is_found_once(tmp_path: Path) -> None:
    images = [Image(f"{s}/{n}.jpg", [Mark("cat" if s == "a" else "dog")], s) for s in "ab" for n in range(40)]
    found = run(tmp_path, images).found
    assert [row["attribute"] for row in found["associations"] if row["repeats"] is None] == ["subset"]


NOTHING = {
    "one class": ([Image(f"{n}", [Mark("cat")]) for n in range(40)], "there is only one class"),
    "one image": (
        [Image("a", [Mark("cat", {"x": "1"}), Mark("dog", {"x": "2"}), Mark("dog", {"x": "1"})])],
        "no independent samples",
    ),
}


@pytest.mark.parametrize("kind", NOTHING)
def test_what_could_not_be_compared_is_not_called_independent(kind: str, tmp_path: Path) -> None:
    images, why = NOTHING[kind]
    summary = run(tmp_path, images).found["summary"]
    assert not any("more than chance explains" in one for one in summary)
    assert any(one.startswith("No class was compared with others") and why in one for one in summary)


def test_few_images_are_said_to_be_few(tmp_path: Path) -> None:
    images = [Image(f"{n}", [Mark("ab"[n % 2], {"x": "12"[n // 2 % 2]})]) for n in range(8)]
    assert "8 independent images are few" in run(tmp_path, images).found["summary"][1]


def test_attributes_that_only_their_values_separate_are_noted(tmp_path: Path) -> None:
    document = coco()
    for one, place in zip(document["annotations"], ("indoor", "outdoor"), strict=True):
        one["attributes"] = {"place": place}
    write(tmp_path, {"a.json": json.dumps(document)})
    found = findings.audit_file(tmp_path / "a.json", Choices()).found
    assert set(found["attributes"]) == {"cat.place", "dog.place"}
    assert any(note.startswith("attribute place: its labels use different values") for note in found["notes"])


# Predictions

TAGS = [Image(f"train/{n}.jpg", [Mark("cat" if n % 2 else "dog", kind="tag")]) for n in range(60)]
OBJECTS = [
    Image(f"{n}.jpg", [Mark("cat", box=(0, 0, 9, 9)), Mark("dog", box=(20, 0, 29, 9))]) for n in range(30)
]


def predicted(images: list[Image], row: str) -> str:
    """A row for each image, with its number and class."""
    return "".join(row.format(n=n, c=next(iter(one.marks)).label) for n, one in enumerate(images))


ROWS = {
    "a comma as decimal": ("image;prediction;score\n", "train/{n}.jpg;{c};0,9\n"),
    "spaces": ("image,prediction\n", " train/{n}.jpg , {c} \n"),
    "no ending": ("image,prediction\n", "{n},{c}\n"),
    "another ending": ("image,prediction\n", "train/{n}.png,{c}\n"),
}


@pytest.mark.parametrize("kind", ROWS)
def test_predictions_as_programs_write_them_are_matched(kind: str, tmp_path: Path) -> None:
    header, row = ROWS[kind]
    found = run(tmp_path, TAGS, header + predicted(TAGS, row)).found
    assert (found["predictions"]["matched"], found["error_rates"][0]["error_rate"]) == (60, 0)


def test_an_empty_prediction_is_none(tmp_path: Path) -> None:
    rows = predicted(TAGS[:40], "train/{n}.jpg,{c}\n") + "train/40.jpg,\ntrain/41.jpg,nan\n"
    found = run(tmp_path, TAGS, f"image,prediction\n{rows}").found
    assert found["predictions"] == {"matched": 40, "no_class": 2, "items_without_prediction": 20}


def test_an_image_in_which_nothing_was_found_has_missed_objects(tmp_path: Path) -> None:
    boxes = "".join(f"{n}.jpg,cat,.9,0,0,9,9\n" for n in range(10)) + "10.jpg,,,,,,\n"
    found = run(tmp_path, OBJECTS, f"image,prediction,score,xmin,ymin,xmax,ymax\n{boxes}").found
    assert found["predictions"]["missed"] == 12


REFUSED = {
    "no rows": (TAGS, "image,prediction\n", "", "holds no predictions"),
    "ties": (TAGS, "image,prediction,score\n", "train/{n}.jpg,cat,.5\ntrain/{n}.jpg,dog,.5\n", "none can be"),
    "no objects named": (OBJECTS, "image,prediction\n", "{n}.jpg,cat\n", "add a column object"),
    "unknown objects": (OBJECTS, "image,object,prediction\n", "{n}.jpg,77,cat\n", "'77' against '0'"),
    "fractions": (
        OBJECTS, "image,prediction,xmin,ymin,xmax,ymax\n", "{n}.jpg,cat,.9,.9,.99,.99\n", "expected pixels"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_predictions_of_which_none_can_be_judged_stop_the_run(kind: str, tmp_path: Path) -> None:
    images, header, row, said = REFUSED[kind]
    with pytest.raises(UsageError) as refused:
        run(tmp_path, images, header + predicted(images, row))
    assert said in str(refused.value)


def test_class_ids_that_count_from_another_number_stop_the_run(tmp_path: Path) -> None:
    results = [{"image_id": n, "category_id": n - 1, "bbox": [1, 2, 3, 4], "score": 0.9} for n in (1, 2)]
    write(tmp_path, {"a.json": json.dumps(coco()), "p.json": json.dumps(results)})
    with pytest.raises(UsageError, match=r"class ids 0 are not among the category ids .*--class-map '0=cat'"):
        findings.audit_file(tmp_path / "a.json", Choices(), tmp_path / "p.json")


@pytest.mark.parametrize("text", ["{}", "5", "[[1, 2]]"])
def test_json_that_is_no_list_of_results_is_refused(text: str, tmp_path: Path) -> None:
    write(tmp_path, {"a.xml": made.xml(TAGS), "p.json": text})
    with pytest.raises(UsageError, match="no list of COCO results"):
        findings.audit_file(tmp_path / "a.xml", Choices(), tmp_path / "p.json")


def test_precision_is_not_compared_by_an_attribute_that_false_positives_lack(tmp_path: Path) -> None:
    """Only persons have a skin, so that each group's precision would be 100 %."""
    images = [
        Image(
            f"{n}.jpg",
            [Mark("person", {"skin": "ab"[n % 2]}, box=(0, 0, 9, 9)), Mark("car", box=(20, 0, 29, 9))],
        )
        for n in range(80)
    ]
    rows = "".join(f"{n}.jpg,person,.9,0,0,9,9\n{n}.jpg,person,.8,20,0,29,9\n" for n in range(80))
    csv = f"image,prediction,score,xmin,ymin,xmax,ymax\n{rows}"
    found = run(tmp_path, images, csv, protected=("skin",)).found
    compared = {(row["metric"], row["class"]) for row in found["gaps"]}
    assert ("recall", "person") in compared or ("false_negative_rate", "person") in compared
    assert not {("precision", "person"), ("f1", "person"), ("average_precision", "person")} & compared
    person = next(one for one in found["fairness"] if one["class"] == "person")
    assert {one["precision"] for one in person["groups"].values()} == {None}
    assert any("false positives of class person have no value" in note for note in found["notes"])


def test_noise_does_not_turn_round_within_an_attribute() -> None:
    """Five attributes that go together with the group, and a model that errs alike everywhere."""
    reversals = 0
    for seed in range(30):
        draws, builder, rows = np.random.default_rng(seed), Builder(), []
        for n in range(300):
            group = draws.random() < 0.5
            others = draws.random(5) < (0.8 if group else 0.2)
            values = {"group": "xy"[int(group)], **{f"s{k}": "ab"[int(one)] for k, one in enumerate(others)}}
            builder.add_image(f"{n}.jpg")
            builder.add("cd"[n % 2], tuple(values), list(values.values()), tag=True)
            rows.append(Prediction(f"{n}.jpg", "cd"[(n + int(draws.random() < 0.2)) % 2]))
        choices = Choices(
            protected=("group",), condition=tuple(f"s{k}" for k in range(5)), metrics=("error",)
        )
        gaps = findings.audit(builder.build("made"), choices, rows).report.gaps or []
        reversals += any(row.reversal for row in gaps)
    assert reversals <= 3


def test_the_summary_names_a_difference_without_terms_of_statistics(tmp_path: Path) -> None:
    """By night some cats are called dogs, by day some dogs are called cats, equally often."""
    images = [
        Image(
            f"{n}.jpg",
            [Mark("cat" if n % 2 else "dog", {"light": "night" if n < 200 else "day"}, kind="tag")],
        )
        for n in range(400)
    ]
    rows = "".join(
        f"{n}.jpg,{'dog' if n < 200 and n % 8 == 1 else 'cat' if n >= 200 and n % 8 == 0 else said}\n"
        for n, said in ((n, "cat" if n % 2 else "dog") for n in range(400))
    )
    summary = run(tmp_path, images, f"image,prediction\n{rows}", protected=("light",)).found["summary"]
    taken = "By light, others are taken for dog most often for night"
    assert f"{taken}: 25.0 percentage points more often than for day." in summary
