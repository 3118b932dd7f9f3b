"""What tracks show on single frames, as shapes: for where a frame stands without its neighbours.

The rules are CVAT's own (2.73, ``dataset_manager/annotation.py``, ``get_interpolated_shapes``), but for
polygons and polylines between two keyframes, whose points CVAT matches by lengths: those are not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
STRAIGHT = ("rectangle", "ellipse", "cuboid", "skeleton")
"""Types whose points move in a straight line from keyframe to keyframe."""
BENT = ("polygon", "polyline")
OF_KEYFRAME = ("type", "occluded", "outside", "z_order")
OF_TRACK = ("label_id", "group", "source")


def interpolate(tracks: Iterable[Row], frames: Iterable[int]) -> tuple[list[Row], list[Row]]:
    """The shapes that tracks (of a task, as CVAT's API has them) show on ``frames``; and, without their
    points, polygons and polylines that change between two keyframes."""
    wanted = sorted(set(frames))
    found = [_on(track, frame) for track in tracks for frame in wanted]
    visible = [shape for shape in found if shape is not None and not _hidden(shape)]
    known = [shape for shape in visible if "points" in shape]
    return known, [shape for shape in visible if "points" not in shape]


def _hidden(shape: Row) -> bool:
    """Outside, as a whole or with every point of its skeleton."""
    elements = shape.get("elements", [])
    return bool(shape["outside"] or (elements and all(one["outside"] for one in elements)))


def _on(track: Row, frame: int) -> Row | None:
    """None before its first keyframe; without ``points`` where they cannot be told."""
    keys = sorted(track["shapes"], key=lambda key: int(key["frame"]))
    past = [key for key in keys if key["frame"] <= frame]
    if not past:
        return None
    before = past[-1]
    after = next((key for key in keys if key["frame"] > frame), before)
    elements = [_on(element, frame) for element in track.get("elements", [])]
    return {
        **{name: track[name] for name in OF_TRACK if name in track},
        **{name: before[name] for name in OF_KEYFRAME},
        "frame": frame,
        "attributes": [*_latest(past), *track.get("attributes", [])],
        **_place(before, after, frame),
        **({"elements": [one for one in elements if one]} if elements else {}),
    }


def _latest(keys: list[Row]) -> list[Row]:
    """An attribute that a keyframe does not name is as it was before."""
    return list({one["spec_id"]: one for key in keys for one in key.get("attributes", [])}.values())


def _place(before: Row, after: Row, frame: int) -> Row:
    """``points`` and ``rotation``; nothing where only CVAT can tell."""
    same = before["points"] == after["points"] and before["rotation"] == after["rotation"]
    if same or before["frame"] == frame or not _moves(before, after):
        return {name: before[name] for name in ("points", "rotation")}
    if before["type"] in BENT:
        return {}
    part = (frame - before["frame"]) / (after["frame"] - before["frame"])
    pairs = zip(before["points"], after["points"], strict=True)
    return {
        "points": [start + (end - start) * part for start, end in pairs],
        "rotation": (before["rotation"] + _turn(before, after) * part) % 360,
    }


def _moves(before: Row, after: Row) -> bool:
    """A group of several points stands still until the next keyframe."""
    single = len(before["points"]) == len(after["points"]) == 2
    return before["type"] in (*STRAIGHT, *BENT) or (before["type"] == "points" and single)


def _turn(before: Row, after: Row) -> float:
    """The shorter way round, in degrees."""
    turn: float = (after["rotation"] - before["rotation"] + 180) % 360 - 180
    return turn
