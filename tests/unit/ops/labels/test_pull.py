"""The file that is written from what CVAT has."""

from __future__ import annotations

from typing import Any

from tests.paths import LABELS_EXAMPLE

from labelspace_ops.labels import labels_file, normalized, pull, skeleton
from labelspace_ops.labels.model import LabelsFile

EXAMPLE = labels_file.read(LABELS_EXAMPLE)


def drawn(one: dict[str, Any]) -> dict[str, Any]:
    """A skeleton's points with ids, which CVAT also puts into its drawing."""
    if "drawing" not in one:
        return {"sublabels": []}
    new = skeleton.body(one["drawing"])
    points = [{**point, "id": 100 + number} for number, point in enumerate(new["sublabels"])]
    for point in points:
        new["svg"] = new["svg"].replace(f'label-name="{point["name"]}"', f'label-id="{point["id"]}"')
    return {"sublabels": points, "svg": new["svg"]}


def rows(labels: normalized.Labels) -> list[dict[str, Any]]:
    """Labels as CVAT lists them, with a colour each."""
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


class Server:
    """As much of CVAT as a pull asks."""

    def __init__(self, labels: list[dict[str, Any]]) -> None:
        self.labels = labels

    def list_all(self, path: str, **_query: Any) -> list[dict[str, Any]]:
        return self.labels if path == "/labels" else [{"id": 1, "name": "Street scenes"}]


def pulled(labels: list[dict[str, Any]], known: LabelsFile) -> tuple[LabelsFile, list[str]]:
    server: Any = Server(labels)
    return pull.pull(server, [], known)


def test_a_file_comes_back_whole_in_its_own_order() -> None:
    live = rows(normalized.desired(EXAMPLE.projects[0]))
    assert pulled(list(reversed(live)), EXAMPLE) == (EXAMPLE, [])


def test_without_a_file_cvats_own_knowledge_is_written_and_the_rest_is_said() -> None:
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


def test_attributes_of_single_points_are_said_to_be_left_out() -> None:
    live = rows(normalized.desired(EXAMPLE.projects[0]))
    pose = next(one for one in live if one["name"] == "pose")
    pose["sublabels"][0]["attributes"] = [{"name": "hidden"}]
    found, notes = pulled(live, EXAMPLE)
    assert found == EXAMPLE
    assert notes == ["Street scenes: skeleton pose: attributes of its points are not written, they stay"]
