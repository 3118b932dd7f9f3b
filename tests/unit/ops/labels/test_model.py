"""What a labels file may say, and how a mistake in it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.paths import LABELS_EXAMPLE, LABELS_SCHEMA

from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels import labels_file, normalized
from labelspace_ops.labels.model import LabelsFile


def label(**fields: Any) -> dict[str, Any]:
    return {"projects": [{"name": "P", "labels": [{"name": "car", **fields}]}]}


def attribute(**fields: Any) -> dict[str, Any]:
    return label(attributes=[{"name": "kind", **fields}])


def skeleton(**fields: Any) -> dict[str, Any]:
    points = [{"name": "a", "position": [0, 0]}, {"name": "b", "position": [100, 50]}]
    return label(type="skeleton", **{"points": points, "edges": [["a", "b"]], **fields})


def project(**fields: Any) -> dict[str, Any]:
    return {"projects": [{"name": "P", "labels": [{"name": "car"}], **fields}]}


def audit(**fields: Any) -> dict[str, Any]:
    return project(audit=[{"name": "light", "kind": "condition", "values": ["day", "night"], **fields}])


MISTAKES = {
    "type": (label(type="box"), "projects[P].labels[car].type: 'box' is refused: choose one of"),
    "colour": (label(color="blue"), "labels[car].color: 'blue' is refused: give a colour such as"),
    "unknown key": (label(colour="#ffffff"), "labels[car].colour: '#ffffff' is refused: no such key"),
    "long name": (label(name="x" * 65), "at most 64 characters"),
    "no values": (attribute(), "attributes[kind]: values: missing: list the choices"),
    "a value twice": (attribute(values=["a", "a"]), "values: 'a' is there twice"),
    "a truth value": (attribute(values=["a", False]), "put it in quotes"),
    "long values": (attribute(values=["x" * 190 + str(n) for n in range(10, 40)]), "more than 4096"),
    "default": (attribute(values=["a"], default="b"), "default: 'b' is not one of a"),
    "values of text": (attribute(input="text", values=["a"]), "input text takes none"),
    "no range": (attribute(input="number"), "minimum, maximum: a number needs both"),
    "range": (attribute(input="number", minimum=3, maximum=1), "minimum: 3 is above maximum 1"),
    "number": (attribute(input="number", minimum=1, maximum=3, default=7), "no whole number from 1 to 3"),
    "checkbox": (attribute(input="checkbox", default="yes"), "a checkbox is true or false"),
    "a label twice": (project(labels=[{"name": "a"}, {"name": "a"}]), "labels: 'a' is there twice"),
    "no labels": (project(labels=[]), "projects[P]: labels: none: give at least one"),
    "the audit label": (project(labels=[{"name": "audit"}]), "is the label of the audit block"),
    "kind": (audit(kind="colour"), "audit[light].kind: 'colour' is refused: choose one of"),
    "objects": (audit(objects=["bus"]), "objects: 'bus' is not among the labels"),
    "a label to drop": (project(allow_delete=["car"]), "allow_delete: 'car' is still among the labels"),
    "projects alike": ({"projects": [*project()["projects"], {"name": "p!", "labels": [{"name": "a"}]}]},
                       "projects: 'p' is there twice"),
    "an annotator twice": ({"annotators": [{"email": "a@b.c"}, {"email": "A@b.c"}]}, "is there twice"),
    "an address": ({"annotators": [{"email": "ann"}]}, "annotators[ann].email: 'ann' is refused"),
    "points of a box": (label(points=[{"name": "a", "position": [1, 1]}]), "for type skeleton, not any"),
    "no points": (label(type="skeleton"), "points: missing: list the points of the skeleton"),
    "off the drawing": (
        skeleton(points=[{"name": "a", "position": [1, 101]}]), "points[a].position[2]: 101 is refused"
    ),
    "a point twice": (skeleton(points=[{"name": "a", "position": [1, 1]}] * 2), "points: 'a' is there twice"),
    "an edge to nowhere": (skeleton(edges=[["a", "c"]]), "edges: 'c' is not among the points"),
    "an edge to itself": (skeleton(edges=[["a", "a"]]), "edges: 'a' leads to itself"),
    "an edge there and back": (skeleton(edges=[["a", "b"], ["b", "a"]]), "edges: 'a - b' is there twice"),
    "a sign of XML": (skeleton(points=[{"name": "a<b", "position": [1, 1]}]), "a point's name has none of"),
    "a list": ([1], "file"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_place(case: str) -> None:
    values, said = MISTAKES[case]
    with pytest.raises(UsageError) as refused:
        labels_file.parse(values, "x.yaml")
    assert str(refused.value).startswith("x.yaml: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_mistake_has_a_line() -> None:
    with pytest.raises(UsageError) as refused:
        labels_file.parse(label(type="box", color="blue"), "x.yaml")
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [("projects: [", "no valid YAML"), ("projects: []\nprojects: []", "'projects' is there twice")],
)
def test_yaml_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        labels_file.read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        labels_file.read(tmp_path / "x.yaml")
    assert labels_file.load("no-such-workspace") == LabelsFile()


def test_an_empty_file_asks_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("# nothing yet\n")
    assert labels_file.read(path) == LabelsFile()


def test_the_example_is_in_order_and_fits_the_schema() -> None:
    found = labels_file.read(LABELS_EXAMPLE)
    assert [one.name for one in found.projects[0].audit] == ["light", "gender"]
    jsonschema.validate(yaml.safe_load(LABELS_EXAMPLE.read_text()), json.loads(LABELS_SCHEMA.read_text()))


def test_the_shipped_schema_is_that_of_the_model() -> None:
    assert LABELS_SCHEMA.read_text() == labels_file.schema(), (
        "labelspace labels schema > stacks/labels/schema.json"
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = labels_file.read(LABELS_EXAMPLE)
    labels_file.write(found, tmp_path / "x.yaml", replace=False)
    assert labels_file.read(tmp_path / "x.yaml") == found
    with pytest.raises(UsageError, match="--replace"):
        labels_file.write(found, tmp_path / "x.yaml", replace=False)


def test_the_audit_block_becomes_a_tag_label_and_attributes_of_objects() -> None:
    wish = normalized.desired(labels_file.read(LABELS_EXAMPLE).projects[0])
    assert list(wish) == ["car", "person", "pose", "audit"]
    assert wish["audit"]["attributes"]["light"] == {
        "input": "select", "values": ["day", "dusk", "night", "unknown"], "default": "unknown",
        "mutable": False,
    }  # fmt: skip
    assert list(wish["person"]["attributes"]) == ["gender"]
    doors = wish["car"]["attributes"]["doors"]
    assert (doors["values"], doors["default"]) == (["0", "6", "1"], "0")


def test_a_skeleton_may_be_named_to_be_made_anew() -> None:
    values = skeleton()
    values["projects"][0]["allow_delete"] = ["car"]
    assert labels_file.parse(values, "x.yaml").projects[0].allow_delete == ("car",)
