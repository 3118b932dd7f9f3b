"""The labels file that is written from CVAT's labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.paths import LABELS_EXAMPLE

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels import labels_file, normalized, pull, skeleton
from labelspace_ops.labels.model import LabelsFile

EXAMPLE = labels_file.read(LABELS_EXAMPLE)


def drawn(one: normalized.NormalLabel) -> dict[str, Any]:
    """The points of a skeleton with ids, which CVAT also writes into the SVG."""
    if "drawing" not in one:
        return {"sublabels": []}
    new: Any = skeleton.body(one["drawing"])
    points = [{**point, "id": 100 + number} for number, point in enumerate(new["sublabels"])]
    for point in points:
        new["svg"] = new["svg"].replace(f'label-name="{point["name"]}"', f'label-id="{point["id"]}"')
    return {"sublabels": points, "svg": new["svg"]}


def rows(labels: normalized.Labels) -> list[dict[str, Any]]:
    """Labels as CVAT lists them, each with a colour."""
    return [
        {
            **drawn(one),
            "id": number, "name": name, "type": one["type"], "color": one.get("color", "#0a0b0c"),
            "has_parent": False,
            "attributes": [
                {"id": place, "name": key, "mutable": value["mutable"], "input_type": value["input"],
                 "default_value": value["default"], "values": value["values"] or [""]}
                for place, (key, value) in enumerate(one["attributes"].items())
            ],
        }
        for number, (name, one) in enumerate(labels.items())
    ]  # fmt: skip


class Server(CvatClient):
    """Answers the requests of a pull."""

    def __init__(self, labels: list[dict[str, Any]]) -> None:
        self.rows = labels

    def list_all(self, path: str, **_query: Any) -> Iterator[Any]:
        return iter(self.rows if path == "/labels" else [{"id": 1, "name": "Street scenes"}])


def pulled(labels: list[dict[str, Any]], known: LabelsFile) -> tuple[LabelsFile, list[str]]:
    return pull.pull(Server(labels), [], known)


def test_a_file_is_written_completely_and_in_its_own_order() -> None:
    live = rows(normalized.desired(EXAMPLE.projects[0]))
    assert pulled(list(reversed(live)), EXAMPLE) == (EXAMPLE, [])


def test_without_a_file_everything_in_cvat_is_written_and_notes_name_the_rest() -> None:
    skeleton = {"id": 9, "name": "body", "type": "skeleton", "color": "#000000", "has_parent": False,
                "attributes": []}  # fmt: skip
    found, notes = pulled([*rows(normalized.desired(EXAMPLE.projects[0])), skeleton], LabelsFile())
    [project] = found.projects
    assert [(label.name, label.color) for label in project.labels] == [
        ("car", "#3366cc"),
        ("person", "#0a0b0c"),
        ("pose", "#0a0b0c"),
    ]
    assert [one.name for one in project.labels[1].attributes] == ["gender"]
    assert [(one.name, one.kind) for one in project.audit] == [("light", "condition")]
    assert len(notes) == 2
    assert "skeleton body: not written" in notes[0]
    assert normalized.desired(project)["car"] == normalized.desired(EXAMPLE.projects[0])["car"]


def test_a_note_names_left_out_attributes_of_points() -> None:
    live = rows(normalized.desired(EXAMPLE.projects[0]))
    pose = next(one for one in live if one["name"] == "pose")
    pose["sublabels"][0]["attributes"] = [{"name": "hidden"}]
    found, notes = pulled(live, EXAMPLE)
    assert found == EXAMPLE
    assert notes == ["Street scenes: skeleton pose: attributes of its points are not written, they stay"]


@pytest.mark.parametrize("values", [["a", "b", "c"], ["0.5", "1.5", "0.1"], ["0"]])
def test_a_range_that_a_labels_file_cannot_hold_is_named(values: list[str]) -> None:
    live = rows(normalized.desired(EXAMPLE.projects[0]))
    live[0]["attributes"][1] |= {"values": values, "default_value": values[0]}
    with pytest.raises(UsageError, match=r"CVAT: .*car.*doors"):
        pulled(live, LabelsFile())
