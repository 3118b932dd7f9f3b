"""Shapes of tracks on single frames, and in a CVAT subset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from labelspace_ops.core import reporting
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.cvat.models import Request, Shape, Track
from labelspace_ops.projects import subsets, track_interpolation

Row = dict[str, Any]


def key(frame: int, points: list[float], **fields: Any) -> Row:
    plain = {"type": "rectangle", "occluded": False, "outside": False, "z_order": 0, "rotation": 0}
    return {"id": 90 + frame, "frame": frame, "points": points, "attributes": [], **plain, **fields}


def track(*keys: Row, **fields: Any) -> Row:
    return {"id": 5, "frame": keys[0]["frame"], "label_id": 7, "group": 0, "source": "manual",
            "shapes": list(keys), "attributes": [], "elements": [], **fields}  # fmt: skip


def interpolate(track: Row, frames: Iterable[int]) -> tuple[list[Shape], list[Shape]]:
    return track_interpolation.interpolate([Track.model_validate(track)], frames)


def on(one: Row, frame: int) -> Row | None:
    found, _ = interpolate(one, [frame])
    return found[0].model_dump(exclude_unset=True) if found else None


CAR = track(
    key(2, [0, 0, 10, 10], attributes=[{"spec_id": 1, "value": "slow"}], rotation=350),
    key(6, [8, 4, 18, 14], occluded=True, rotation=10),
    key(8, [8, 4, 18, 14], outside=True),
    key(12, [0, 0, 4, 4], attributes=[{"spec_id": 1, "value": "fast"}]),
    attributes=[{"spec_id": 2, "value": "red"}],
)


def test_a_box_moves_in_a_straight_line_and_turns_the_shorter_way() -> None:
    assert on(CAR, 3) == {
        "type": "rectangle", "label_id": 7, "group": 0, "source": "manual", "frame": 3, "occluded": False,
        "outside": False, "z_order": 0, "points": [2.0, 1.0, 12.0, 11.0], "rotation": 355.0,
        "attributes": [{"spec_id": 1, "value": "slow"}, {"spec_id": 2, "value": "red"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "visible"), [(1, False), (2, True), (7, True), (8, False), (11, False), (12, True), (99, True)]
)
def test_a_track_is_visible_from_a_keyframe_until_it_is_outside(frame: int, visible: bool) -> None:
    assert (on(CAR, frame) is not None) == visible


def test_a_value_that_a_keyframe_does_not_set_stays_as_before() -> None:
    said = [on(CAR, frame) for frame in (6, 12)]
    assert [one and one["attributes"][0]["value"] for one in said] == ["slow", "fast"]
    assert [one and one["occluded"] for one in said] == [True, False]


@pytest.mark.parametrize("kind", ["polygon", "polyline"])
def test_an_outline_that_changes_between_keyframes_is_not_computed(kind: str) -> None:
    moving = track(key(0, [0, 0, 9, 0, 9, 9], type=kind), key(4, [1, 1, 9, 0, 9, 9], type=kind))
    known, unknown = interpolate(moving, range(6))
    assert [one.frame for one in known] == [0, 4, 5]
    assert [one.frame for one in unknown] == [1, 2, 3]
    still = track(key(0, [0, 0, 9, 0, 9, 9], type=kind), key(4, [0, 0, 9, 0, 9, 9], type=kind))
    assert len(interpolate(still, range(6))[0]) == 6


def test_a_single_point_moves_and_a_group_of_points_does_not() -> None:
    one = on(track(key(0, [0, 0], type="points"), key(2, [4, 8], type="points")), 1)
    many = on(track(key(0, [0, 0, 1, 1], type="points"), key(2, [4, 8, 9, 9], type="points")), 1)
    assert one is not None
    assert many is not None
    assert (one["points"], many["points"]) == ([2.0, 4.0], [0, 0, 1, 1])


def test_a_skeleton_is_outside_when_its_last_point_is() -> None:
    def joint(label: int, gone: int) -> Row:
        keys = (key(0, [0, 0], type="points"), key(gone, [6, 6], type="points", outside=True))
        return track(*keys, label_id=label)

    body = track(key(0, [], type="skeleton"), elements=[joint(8, 2), joint(9, 6)])
    shown = on(body, 3)
    assert shown is not None
    assert [(one["label_id"], one["outside"]) for one in shown["elements"]] == [(8, True), (9, False)]
    assert shown["elements"][1]["points"] == [3.0, 3.0]
    assert on(body, 6) is None


POSE = {
    "id": 31, "type": "skeleton", "frame": 1, "label_id": 7, "points": [], "attributes": [],
    "elements": [{"id": 32, "type": "points", "frame": 1, "label_id": 8, "points": [1, 1], "attributes": []}],
}  # fmt: skip


class Server(CvatClient):
    """A project with a task of four images; the subset's task has number 2."""

    def __init__(self, annotations: Row) -> None:
        self.stored = annotations
        self.subset: list[str] = []
        self.copied: Row = {"tags": [], "shapes": [], "tracks": []}

    def list_all(self, path: str, **query: Any) -> Iterator[Any]:
        if path == "/labels":
            return iter([{"id": 7, "name": "car"}, {"id": 6, "name": "audit"}])
        known = [{"id": 1, "name": "all", "subset": "", "size": 4}]
        return iter([] if "name" in query else known)

    def get(self, path: str, **_query: Any) -> Any:
        number = path.split("/")[2]
        if path.endswith("/data/meta"):
            names = [f"{frame}.png" for frame in range(4)] if number == "1" else self.subset
            return {"frames": [{"name": name} for name in names]}
        if path.endswith("/annotations"):
            return self.stored if number == "1" else self.copied
        return {"id": 2, "size": len(self.subset)}

    def post(self, path: str, body: Any, **_query: Any) -> Any:
        self.subset = body.get("server_files", [])
        return {"id": 2, "rq_id": "made"}

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        assert query == {"action": "create"}
        self.copied = body

    def wait_for_request(self, request: str) -> Request:
        return Request(status="finished")


def written(annotations: Row, files: list[str]) -> tuple[subsets.WrittenSubset, Row]:
    server = Server({"tags": [], "shapes": [], "tracks": [], **annotations})
    return subsets.write(server, 3, "balanced", files), server.copied


def test_an_image_that_only_a_track_classifies_is_copied_with_the_shape_of_the_track() -> None:
    moving = track(key(1, [0, 0, 4, 4]), key(3, [4, 4, 8, 8]))
    done, copied = written({"tracks": [moving]}, ["0.png", "2.png"])
    assert (done.annotations, done.left_out, copied["tracks"]) == (1, 0, [])
    [shape] = copied["shapes"]
    assert (shape["frame"], shape["points"], shape["label_id"]) == (1, [2.0, 2.0, 6.0, 6.0], 7)


def test_shapes_of_a_track_that_cannot_be_copied_are_counted() -> None:
    bent = track(key(1, [0, 0, 4, 4, 8, 0], type="polygon"), key(3, [4, 4, 8, 8, 8, 0], type="polygon"))
    done, copied = written({"tracks": [bent]}, ["2.png", "3.png"])
    assert (done.annotations, done.left_out) == (1, 1)
    assert [shape["frame"] for shape in copied["shapes"]] == [1]


def test_a_skeleton_is_copied_with_its_points() -> None:
    _, copied = written({"shapes": [POSE]}, ["1.png"])
    [shape] = copied["shapes"]
    assert shape["elements"] == [
        {"type": "points", "frame": 0, "label_id": 8, "points": [1, 1], "attributes": []}
    ]
    assert (shape["frame"], "id" in shape) == (0, False)


def test_making_a_subset_reports_its_task() -> None:
    events: list[reporting.Event] = []
    with reporting.listening(events.append):
        written({}, ["0.png", "2.png"])
    assert events == [reporting.Message("CVAT makes task balanced of 2 files")]
