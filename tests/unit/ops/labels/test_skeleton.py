"""Skeletons: what CVAT is given of them, and what is read of what it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.paths import LABELS_EXAMPLE

from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.cvat.models import Label
from labelspace_ops.labels import labels_file, normalized, plan, project, skeleton
from labelspace_ops.labels.model import NOT_IN_POINTS

DRAWING: skeleton.Drawing = {
    "points": [{"name": "head", "position": [50, 10]}, {"name": "hip", "position": [50, 55.5]}],
    "edges": [["head", "hip"]],
}
BY_HAND = (
    '<line x1="36.329" y1="45.98662185668945" x2="59.0719" y2="23.0769" data-type="edge" data-node-from="2"'
    ' data-node-to="5"></line><circle r="0.75" cx="36.329429626464844" cy="45.98662185668945"'
    ' data-type="element node" data-element-id="2" data-node-id="2" data-label-id="8"></circle>'
    '\n<circle r="0.75" cx="59.07190704345703" cy="23.076923370361328" data-type="element node"'
    ' data-element-id="5" data-node-id="5" data-label-id="7"></circle>'
)
"""As CVAT's own editor leaves it after a point was deleted."""


def row(name: str, label: dict[str, Any]) -> dict[str, Any]:
    """A new skeleton as CVAT lists it: its points have ids, and the SVG has the ids instead of names."""
    points = [{**one, "id": number} for number, one in enumerate(label["sublabels"], 20)]
    svg = label["svg"]
    for one in points:
        svg = svg.replace(f'data-label-name="{one["name"]}"', f'data-label-id="{one["id"]}"')
    return {"id": 9, "color": "#0a0b0c", "has_parent": False, **label, "name": name, "sublabels": points,
            "svg": svg}  # fmt: skip


def listed(drawing: skeleton.Drawing) -> dict[str, Any]:
    return row("body", {"type": "skeleton", "attributes": [], **skeleton.body(drawing)})


def parsed(*rows: dict[str, Any]) -> list[Label]:
    return [Label.model_validate(one) for one in rows]


def labels(drawing: skeleton.Drawing) -> normalized.Labels:
    return {"body": {"type": "skeleton", "color": "#0a0b0c", "attributes": {}, "drawing": drawing}}


names = st.text(st.characters(exclude_characters=NOT_IN_POINTS, categories=["L", "N", "P", "S"]), min_size=1)
percents = st.floats(0, 100).map(lambda one: round(one, 2))


@st.composite
def drawings(draw: Any) -> skeleton.Drawing:
    known = draw(st.lists(names, min_size=1, max_size=8, unique=True))
    pairs = [[one, two] for place, one in enumerate(known) for two in known[place + 1 :]]
    return {
        "points": [{"name": name, "position": [draw(percents), draw(percents)]} for name in known],
        "edges": draw(st.lists(st.sampled_from(pairs), unique_by=tuple)) if pairs else [],
    }


@given(drawings())
def test_a_drawing_that_cvat_stored_is_read_back(drawing: skeleton.Drawing) -> None:
    [label] = parsed(listed(drawing))
    assert skeleton.read(label) == drawing


def test_the_svg_is_like_that_of_cvats_own_editor() -> None:
    made: Any = skeleton.body(DRAWING)
    assert [(one["name"], one["type"]) for one in made["sublabels"]] == [
        ("head", "points"),
        ("hip", "points"),
    ]
    line, head, hip = etree.fromstring(f"<svg>{made['svg']}</svg>")
    assert dict(line.attrib) == {
        "x1": "50", "y1": "10", "x2": "50", "y2": "55.5", "data-type": "edge", "data-node-from": "1",
        "data-node-to": "2",
    }  # fmt: skip
    assert dict(head.attrib) == {
        "r": "0.75", "cx": "50", "cy": "10", "data-type": "element node", "data-element-id": "1",
        "data-node-id": "1", "data-label-name": "head",
    }  # fmt: skip
    assert hip.get("data-label-name") == "hip"


def test_a_skeleton_drawn_in_cvat_is_read() -> None:
    sublabels = [{"id": 7, "name": "nose"}, {"id": 8, "name": "left eye"}]
    [label] = parsed({"id": 6, "name": "body", "svg": BY_HAND, "sublabels": sublabels})
    assert skeleton.read(label) == {
        "points": [
            {"name": "left eye", "position": [36.33, 45.99]},
            {"name": "nose", "position": [59.07, 23.08]},
        ],
        "edges": [["left eye", "nose"]],
    }


@pytest.mark.parametrize(
    "svg",
    ["", None, "<circle>", BY_HAND.replace("data-label-id", "data-label-name"), BY_HAND.replace("59.07", "x"),
     BY_HAND.replace('cx="59', 'cx="259'), BY_HAND.replace('data-node-to="5"', 'data-node-to="6"'),
     "<!DOCTYPE x>" + BY_HAND],
)  # fmt: skip
def test_any_other_svg_is_left_as_it_is(svg: str | None) -> None:
    strange = {"id": 6, "name": "body", "type": "skeleton", "svg": svg, "has_parent": False,
               "sublabels": [{"id": 7, "name": "nose"}, {"id": 8, "name": "left eye"}]}  # fmt: skip
    assert normalized.foreign(parsed(strange)) == ["body"]
    assert normalized.current(parsed(strange)) == {}


def test_edges_have_neither_order_nor_direction_for_cvat() -> None:
    two: skeleton.Drawing = {**DRAWING, "points": [*DRAWING["points"], {"name": "foot", "position": [1, 2]}]}
    one: skeleton.Drawing = {**two, "edges": [["head", "hip"], ["hip", "foot"]]}
    other: skeleton.Drawing = {**two, "edges": [["foot", "hip"], ["head", "hip"]]}
    assert plan.make_plan(labels(one), labels(other), {}) == []
    assert normalized.with_defaults_of(labels(one), labels(other)) == labels(other)


@pytest.mark.parametrize(
    "target",
    [{**DRAWING, "edges": []}, {**DRAWING, "points": DRAWING["points"][::-1]},
     {"points": [*DRAWING["points"], {"name": "foot", "position": [1, 2]}], "edges": DRAWING["edges"]}],
)  # fmt: skip
def test_another_drawing_needs_a_new_label(target: skeleton.Drawing) -> None:
    [step] = plan.make_plan(labels(DRAWING), labels(target), {})
    assert step.action in plan.LOSES
    assert step.name == "body"
    assert "the points and edges of a skeleton" in step.sentence


@pytest.mark.parametrize("forth", [True, False])
def test_a_skeleton_is_remade_when_its_type_changes(forth: bool) -> None:
    box: normalized.Labels = {"body": {"type": "rectangle", "color": "#0a0b0c", "attributes": {}}}
    have, target = (labels(DRAWING), box) if forth else (box, labels(DRAWING))
    assert [step.action for step in plan.make_plan(have, target, {})] == ["remake"]


class Server(CvatClient):
    """A project with one skeleton and ``carried`` annotations of it."""

    def __init__(self, drawing: skeleton.Drawing, carried: int) -> None:
        self.rows = [listed(drawing)]
        self.carried = carried
        self.sent: list[list[dict[str, Any]]] = []

    def list_all(self, path: str, **_query: Any) -> Iterator[Any]:
        return iter(self.rows if path == "/labels" else [{"id": 3}])

    def get(self, path: str, **_query: Any) -> Any:
        return {"shapes": [{"label_id": 9}] * self.carried}

    def patch(self, path: str, body: Any, **_query: Any) -> Any:
        self.sent.append(body["labels"])
        gone = {one["id"] for one in body["labels"] if one.get("deleted")}
        new = [row(one["name"], one) for one in body["labels"] if "id" not in one]
        self.rows = [one for one in self.rows if one["id"] not in gone] + new


def apply(
    server: Server, target: normalized.Labels, renamed: dict[str, str], allow_delete: tuple[str, ...] = ()
) -> None:
    project.apply(server, 1, target, renamed, allow_delete)


def test_a_skeleton_without_annotations_is_remade_under_its_new_name() -> None:
    server = Server(DRAWING, carried=0)
    target = {"man": labels({**DRAWING, "edges": []})["body"]}
    apply(server, target, {"man": "body"})
    assert server.sent[0] == [{"id": 9, "name": "body", "deleted": True}]
    assert normalized.current(parsed(*server.rows)) == target
    apply(server, target, {"man": "body"})
    assert len(server.sent) == 2, "the second time there is nothing to do"


def test_a_skeleton_with_annotations_is_remade_only_when_allow_delete_names_it() -> None:
    server, target = Server(DRAWING, carried=1), labels({**DRAWING, "edges": []})
    with pytest.raises(Exception, match=r"allow_delete: \['body'\]"):
        apply(server, target, {})
    assert server.sent == []
    apply(server, target, {}, allow_delete=("body",))
    assert normalized.current(parsed(*server.rows)) == target


def test_the_skeleton_of_the_example_survives_the_round_trip() -> None:
    known = labels_file.read(LABELS_EXAMPLE).projects[0]
    target = normalized.desired(known)["pose"]
    new = project._new("pose", target)
    assert normalized.with_defaults_of(normalized.current(parsed(row("pose", new))), {"pose": target}) == {
        "pose": target
    }
