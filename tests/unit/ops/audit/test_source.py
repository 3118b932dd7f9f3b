"""Reading exports: the three formats agree, and what is none is refused in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import BIN
from tests.unit.ops.audit import exports

from labelspace_ops.audit import dataset, files, findings, source
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import Choices

BOXES = """<annotations><meta><task><labels><label><name>car</name><attributes>
<attribute><name>light</name><input_type>select</input_type></attribute>
<attribute><name>speed</name><input_type>number</input_type></attribute></attributes></label>
<label><name>nose</name><type>points</type><attributes><attribute><name>hidden</name>
<input_type>checkbox</input_type></attribute></attributes><parent>man</parent></label></labels></task></meta>
<image id="0" name="größe/a.jpg" width="6" height="4"><box label="car" xtl="1" ytl="1" xbr="2" ybr="2">
<attribute name="light">day</attribute><attribute name="speed">12</attribute></box>
<skeleton label="man"><points label="nose" points="1,1"><attribute name="light">odd</attribute></points>
</skeleton>
<tag label="audit"><attribute name="light">night</attribute></tag></image>
<image id="1" name="b.jpg" width="6" height="4"></image></annotations>"""


def datumaro() -> dict[str, Any]:
    own = [{"id": 0, "type": "label", "label_id": 0, "attributes": {}}]
    own += [{"id": 1, "type": "label", "label_id": 1, "attributes": {"light": "day", "indoor": True}}]
    labels = [{"name": "cat"}, {"name": "audit"}]
    items = [{"id": "a", "annotations": own, "image": {"path": "a.jpg"}}]
    return {"categories": {"label": {"labels": labels}}, "items": items}


def coco() -> dict[str, Any]:
    annotation = {"id": 7, "image_id": 1, "category_id": 1, "attributes": {"light": "day", "occluded": False}}
    return {
        "images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "car"}],
        "annotations": [annotation],
    }  # fmt: skip


def test_an_objects_own_attribute_wins_else_its_images(tmp_path: Path) -> None:
    (tmp_path / "boxes.xml").write_text(BOXES, encoding="utf-8")
    found = findings.audit_file(tmp_path / "boxes.xml", Choices()).found
    assert found["level"] == "object"
    assert (found["images"], found["unlabelled_images"], found["items"]) == (2, 1, 2)
    counts = {row["class"]: row["counts"] for row in found["associations"]}
    assert counts == {"car": {"day": 1, "night": 0}, "man": {"day": 0, "night": 1}}
    assert list(found["attributes"]) == ["light"]
    assert found["additional_labels"] == ["audit"]


def test_datumaro(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("annotations/default.json", json.dumps(datumaro()))
    found = findings.audit_file(tmp_path / "export.zip", Choices()).found
    assert (found["source"], found["level"], found["classes"]) == ("Datumaro 1.0", "image", {"cat": 1})
    assert found["attributes"]["indoor"]["values"] == {"true": 1}


def test_coco(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text(json.dumps(coco()))
    found = findings.audit_file(tmp_path / "instances.json", Choices()).found
    assert (found["source"], found["level"], found["classes"]) == ("COCO 1.0", "object", {"car": 1})
    assert list(found["attributes"]) == ["light"]


VIDEO = """<annotations><meta><project><tasks><task><id>4</id><mode>interpolation</mode></task>
<task><id>5</id><mode>annotation</mode></task></tasks></project></meta>
<image name="frame_000000" task_id="4"><box label="car"></box></image>
<image name="frame_000001" task_id="4"><box label="car"></box></image>
<image name="a.jpg" task_id="5"><box label="car"></box></image></annotations>"""


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (VIDEO, 2),
        ("<annotations><meta><job><id>9</id><mode>interpolation</mode></job></meta>"
         '<image name="frame_0"><box label="car"></box></image></annotations>', 1),
        (BOXES, 0),
    ],
)  # fmt: skip
def test_frames_of_videos_are_counted_and_a_video_is_one_sample(
    text: str, frames: int, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    found = findings.audit_file(tmp_path / "a.xml", Choices()).found
    said = [note for note in found["notes"] if "frames of videos" in note]
    assert [note.split()[0] for note in said] == ([str(frames)] if frames else [])
    assert all("a video is one sample" in note for note in said)
    assert found["clustered_by"] == ("video" if frames else "image")
    assert found["images"] == text.count("<image ")


@pytest.mark.parametrize("document", [datumaro, coco])
def test_frames_of_tracks_count_one_by_one_and_are_said_to_be_alike(document: Any, tmp_path: Path) -> None:
    text = json.dumps(document())
    (tmp_path / "a.json").write_text(text)
    assert not any("tracks" in note for note in source.read(tmp_path / "a.json").notes)
    tracked = text.replace('"light": "day"', '"light": "day", "track_id": 3, "keyframe": false')
    (tmp_path / "a.json").write_text(tracked)
    found = source.read(tmp_path / "a.json")
    assert found.notes[0].startswith("1 objects are frames of tracks: each counts")
    assert set(found.attributes) <= {"light", "indoor"}


def test_the_points_of_a_skeleton_are_no_labels_of_their_own(tmp_path: Path) -> None:
    made = datumaro()
    made["categories"]["label"]["labels"].append({"name": "nose", "parent": "cat"})
    (tmp_path / "a.json").write_text(json.dumps(made))
    assert source.read(tmp_path / "a.json").labels == ["cat", "audit"]
    (tmp_path / "a.xml").write_text(BOXES, encoding="utf-8")
    found = source.read(tmp_path / "a.xml")
    assert "nose" not in found.labels
    assert "hidden" not in found.attributes


def test_a_tag_that_accompanies_the_classes_is_no_class(tmp_path: Path) -> None:
    text = exports.xml([(f"{n}", "cat", {"light": "day"}) for n in range(4)]).replace('"audit"', '"scene"')
    (tmp_path / "a.xml").write_text(text)
    assert findings.audit_file(tmp_path / "a.xml", Choices()).found["classes"] == {"cat": 4}


def test_classes_that_carry_their_own_attributes_stay_classes(tmp_path: Path) -> None:
    tags = "".join(
        f'<image name="{n}"><tag label="{label}"><attribute name="light">day</attribute></tag></image>'
        for n, label in enumerate(["cat", "dog"])
    )
    (tmp_path / "a.xml").write_text(f"<annotations>{tags}</annotations>")
    assert findings.audit_file(tmp_path / "a.xml", Choices()).found["classes"] == {"cat": 1, "dog": 1}


BROKEN = {
    "text": b"hello",
    "empty": b"",
    "half": b'<annotations><image name="a">',
    "bytes": b'<annotations><image name="\xff\xfe"></image></annotations>',
    "html": b"<html><image name='a'/></html>",
    "doctype": b'<!DOCTYPE a [<!ENTITY x "y">]><annotations><image name="&x;"/></annotations>',
    "json": b'{"a": 1}',
    "half json": b'{"items": [',
    "wrong json": b'{"items": [{"id": 1}], "categories": {}}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_no_export_is_refused(content: bytes, zipped: bool, tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(content)
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("annotations.xml", content)
    with pytest.raises(UsageError, match=r"^annotations: "):
        source.read(path)


def test_a_zip_without_annotations_or_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "x" * 999)
    with pytest.raises(UsageError, match=r"holds no annotations\.xml"):
        source.read(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UsageError, match=r"^annotations: "):
        source.read(path)
    with pytest.raises(UsageError, match="no such file"):
        source.read(tmp_path / "nowhere.zip")


def test_a_bomb_is_stopped_by_what_comes_out_of_it(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("annotations.xml", "w") as file,
    ):
        file.write(b"<annotations>")
        for _ in range(40):
            file.write(b"<b/>" * 2**18)
    with pytest.raises(UsageError, match="unpacks to more"):
        source.read(path)


def test_a_bomb_of_json_is_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_JSON", 2**20)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations/a.json", json.dumps(datumaro()) + " " * 2**21)
    with pytest.raises(UsageError, match="unpacks to more"):
        source.read(path)


@pytest.mark.parametrize("document", [exports.xml([("a", "cat", {})]), json.dumps(datumaro())])
def test_a_bomb_of_many_small_files_is_stopped_by_their_sum(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_XML", 10 * len(document))
    path = tmp_path / "many.zip"
    name = "annotations.xml" if document[0] == "<" else "annotations/a.json"
    for many, fits in ((10, True), (11, False)):
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(many):
                archive.writestr(f"{number:02}/{name}", document)
        if fits:
            assert len(source.read(path).images) == many
        else:
            with pytest.raises(UsageError, match="unpacks to more"):
                source.read(path)


def test_deeply_nested_exports_are_refused(tmp_path: Path) -> None:
    for name, text in (("a.xml", "<annotations>" + "<b>" * 10**5), ("a.json", '{"items": ' + "[" * 10**6)):
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError, match=r"^annotations: "):
            source.read(tmp_path / name)


def test_more_attributes_than_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "MOST_CELLS", 10_000)
    rows: list[exports.Row] = [(f"{n}", "cat", {f"attribute {n}": "x"}) for n in range(100)]
    with pytest.raises(UsageError, match="different attributes are too many"):
        source.read(exports.write(tmp_path / "a.xml", rows))


def test_a_value_longer_than_cvats_is_refused(tmp_path: Path) -> None:
    good = exports.write(tmp_path / "a.xml", [("a", "cat", {"light": "x" * 4096})])
    assert source.read(good).attributes["light"].values == ["x" * 4096]
    with pytest.raises(UsageError, match="4,097 characters"):
        source.read(exports.write(tmp_path / "b.xml", [("a", "cat", {"light": "x" * 4097})]))


EMPTY = {
    "xml": "<annotations><meta><project><labels></labels></project></meta></annotations>",
    "datumaro": '{"categories": {}, "items": []}',
    "datumaro with labels": '{"categories": {"label": {"labels": [{"name": "cat"}]}}, "items": []}',
    "coco": '{"categories": [], "images": [], "annotations": []}',
    "images alone": '<annotations><image name="a"></image><image name="a"></image></annotations>',
}


@pytest.mark.parametrize("kind", EMPTY)
def test_an_empty_project_is_reported_as_one(kind: str, tmp_path: Path) -> None:
    (tmp_path / "export").write_text(EMPTY[kind])
    (tmp_path / "p.csv").write_text("image,prediction\na,cat\n")
    audit = findings.audit_file(tmp_path / "export", Choices(), tmp_path / "p.csv")
    findings.write(audit, tmp_path / "out")
    assert (audit.found["items"], audit.found["balanced_set"]["files"]) == (0, [])
    assert "no annotation has a class: there is nothing to compare yet" in audit.found["notes"]
    assert "1 predictions name images" in " ".join(audit.found["notes"])
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["classes"] == {}


def test_names_that_are_no_utf_8_find_their_predictions_and_come_out_as_they_were(tmp_path: Path) -> None:
    made = datumaro()
    made["items"] = [{**made["items"][0], "image": {"path": f"caf{n}E.jpg"}} for n in range(2)]
    for one in made["items"]:
        one["annotations"] = one["annotations"][:1]
    raw = json.dumps(made).encode().replace(b"E.jpg", b"\xe9.jpg")
    (tmp_path / "a.json").write_bytes(raw)
    (tmp_path / "p.csv").write_bytes(b"image,prediction\ncaf0\xe9.jpg,cat\n")
    audit = findings.audit_file(tmp_path / "a.json", Choices(), tmp_path / "p.csv")
    findings.write(audit, tmp_path / "out")
    assert audit.found["predictions"]["matched"] == 1
    assert b"caf0\xe9.jpg" in (tmp_path / "out" / "weights.csv").read_bytes()


def test_a_real_exports_ratio_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", exports.xml([("a", "cat", {"light": "day"})] * 20000))
    assert path.stat().st_size * 50 < 20000 * 200
    assert len(source.read(path).images) == 20000


def test_the_command_writes_a_report_and_refuses_in_one_sentence(tmp_path: Path) -> None:
    path = exports.write(
        tmp_path / "a.xml", [(f"{n}", "ab"[n % 2], {"light": "xy"[n % 2]}) for n in range(60)]
    )
    good = _run("audit", "--annotations", str(path), "--out", str(tmp_path / "out"), "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["items"] == 60
    assert {one.name for one in (tmp_path / "out").iterdir()} == set(findings.FILES)
    bad = _run("audit", "--annotations", str(path), "--condition", "lihgt", "--out", str(tmp_path / "no"))
    assert bad.returncode == 2
    assert bad.stderr.strip() == "labelspace: attribute: 'lihgt' is not in the export; it has: light"
    assert _run("audit").returncode == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "lacks the column 'image'"),
        ("image,prediction,score\na,b,high\n", "is not a number"),
        ("", "lacks"),
    ],
)
def test_broken_predictions_are_refused(text: str, said: str, tmp_path: Path) -> None:
    export = exports.write(tmp_path / "a.xml", [("a", "cat", {"light": "day"})])
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        findings.audit_file(export, Choices(), tmp_path / "p.csv")


def test_the_surest_prediction_of_an_object_counts(tmp_path: Path) -> None:
    (tmp_path / "boxes.xml").write_text(BOXES, encoding="utf-8")
    lines = (
        "image,object,prediction,score\ngröße/a.jpg,0,man,0.2\ngröße/a.jpg,0,car,0.9\ngröße/a.jpg,9,car,\n"
    )
    (tmp_path / "p.csv").write_text(lines, encoding="utf-8")
    found = findings.audit_file(tmp_path / "boxes.xml", Choices(), tmp_path / "p.csv").found
    whole = next(row for row in found["error_rates"] if not row["by"] and row["class"] is None)
    car = next(row for row in found["error_rates"] if not row["by"] and row["class"] == "car")
    assert (car["n"], car["errors"]) == (1, 0)
    assert (whole["n"], whole["errors"]) == (2, 1)  # the man is named nowhere: missed
    assert found["predictions"]["unknown_object"] == 1


def test_the_sample_exports_show_their_planted_flaws(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[4] / "examples" / "audit" / "make.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    animals = findings.audit_file(
        tmp_path / "animals.xml", Choices(condition=("place",)), tmp_path / "animals-predictions.csv"
    ).found
    assert "94 % of class cat is indoor" in animals["associations"][0]["sentence"]
    scrubs = findings.audit_file(tmp_path / "scrubs.xml", Choices(protected=("gender",))).found
    assert scrubs["associations"][0]["suspicious"]
    assert scrubs["weighting"]["unknown_group"] > 0


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BIN / "labelspace"), *arguments], capture_output=True, text=True, check=False)
