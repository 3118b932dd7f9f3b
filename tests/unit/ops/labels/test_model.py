"""The labels file: its limits, its error messages, and its JSON Schema."""

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
    "a value twice": (attribute(values=["a", "a"]), "values: 'a' is listed twice"),
    "a truth value": (attribute(values=["a", False]), "put it in quotes"),
    "long values": (attribute(values=["x" * 190 + str(n) for n in range(10, 40)]), "more than 4096"),
    "default": (attribute(values=["a"], default="b"), "default: 'b' is not one of a"),
    "values of text": (attribute(input="text", values=["a"]), "input text takes none"),
    "no range": (attribute(input="number"), "minimum, maximum: a number needs both"),
    "range": (attribute(input="number", minimum=3, maximum=1), "minimum: 3 is above maximum 1"),
    "number": (attribute(input="number", minimum=1, maximum=3, default=7), "not a whole number from 1 to 3"),
    "checkbox": (attribute(input="checkbox", default="yes"), "a checkbox is true or false"),
    "a label twice": (project(labels=[{"name": "a"}, {"name": "a"}]), "labels: 'a' is listed twice"),
    "no labels": (project(labels=[]), "projects[P]: labels: none: list at least one"),
    "the audit label": (project(labels=[{"name": "audit"}]), "is the label of the audit block"),
    "kind": (audit(kind="colour"), "audit[light].kind: 'colour' is refused: choose one of"),
    "objects": (audit(objects=["bus"]), "objects: 'bus' is not among the labels"),
    "a label to drop": (project(allow_delete=["car"]), "allow_delete: 'car' is still among the labels"),
    "projects alike": ({"projects": [*project()["projects"], {"name": "p!", "labels": [{"name": "a"}]}]},
                       "projects: 'p' is listed twice"),
    "an annotator twice": ({"annotators": [{"email": "a@b.c"}, {"email": "A@b.c"}]}, "is listed twice"),
    "an address": ({"annotators": [{"email": "ann"}]}, "annotators[ann].email: 'ann' is refused"),
    "points of a box": (label(points=[{"name": "a", "position": [1, 1]}]), "for type skeleton, not any"),
    "no points": (label(type="skeleton"), "points: missing: list the points of the skeleton"),
    "off the drawing": (
        skeleton(points=[{"name": "a", "position": [1, 101]}]), "points[a].position[2]: 101 is refused"
    ),
    "a point twice": (
        skeleton(points=[{"name": "a", "position": [1, 1]}] * 2), "points: 'a' is listed twice"
    ),
    "an edge to nowhere": (skeleton(edges=[["a", "c"]]), "edges: 'c' is not among the points"),
    "an edge to itself": (skeleton(edges=[["a", "a"]]), "edges: 'a' connects a point with itself"),
    "an edge there and back": (skeleton(edges=[["a", "b"], ["b", "a"]]), "edges: 'a - b' is listed twice"),
    "a sign of XML": (skeleton(points=[{"name": "a<b", "position": [1, 1]}]), "a point's name has none of"),
    "a list": ([1], "file"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_an_error_names_the_place_in_the_file(case: str) -> None:
    values, message = MISTAKES[case]
    with pytest.raises(UsageError) as refused:
        labels_file.parse(values, "x.yaml")
    assert str(refused.value).startswith("x.yaml: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_error_has_a_line() -> None:
    with pytest.raises(UsageError) as refused:
        labels_file.parse(label(type="box", color="blue"), "x.yaml")
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [("projects: [", "not valid YAML"), ("projects: []\nprojects: []", "'projects' is given twice")],
)
def test_invalid_yaml_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        labels_file.read(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        labels_file.read(tmp_path / "x.yaml")
    assert labels_file.load("no-such-workspace") == LabelsFile()


def test_an_empty_file_has_no_projects(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("# nothing yet\n")
    assert labels_file.read(path) == LabelsFile()


def test_the_example_is_valid_and_matches_the_schema() -> None:
    found = labels_file.read(LABELS_EXAMPLE)
    assert [one.name for one in found.projects[0].audit] == ["light", "gender"]
    jsonschema.validate(yaml.safe_load(LABELS_EXAMPLE.read_text()), json.loads(LABELS_SCHEMA.read_text()))


def test_the_shipped_schema_is_that_of_the_model() -> None:
    assert LABELS_SCHEMA.read_text() == labels_file.schema(), (
        "labelspace labels schema > stacks/labels/schema.json"
    )


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    found = labels_file.read(LABELS_EXAMPLE)
    labels_file.write(found, tmp_path / "x.yaml", replace=False)
    assert labels_file.read(tmp_path / "x.yaml") == found
    with pytest.raises(UsageError, match="--replace"):
        labels_file.write(found, tmp_path / "x.yaml", replace=False)


def test_the_audit_block_becomes_a_tag_label_and_attributes_of_objects() -> None:
    target = normalized.desired(labels_file.read(LABELS_EXAMPLE).projects[0])
    assert list(target) == ["car", "person", "pose", "audit"]
    assert target["audit"]["attributes"]["light"] == {
        "input": "select", "values": ["day", "dusk", "night", "unknown"], "default": "unknown",
        "mutable": False,
    }  # fmt: skip
    assert list(target["person"]["attributes"]) == ["gender"]
    doors = target["car"]["attributes"]["doors"]
    assert (doors["values"], doors["default"]) == (["0", "6", "1"], "0")


def test_allow_delete_may_name_a_skeleton_that_stays() -> None:
    values = skeleton()
    values["projects"][0]["allow_delete"] = ["car"]
    assert labels_file.parse(values, "x.yaml").projects[0].allow_delete == ("car",)
