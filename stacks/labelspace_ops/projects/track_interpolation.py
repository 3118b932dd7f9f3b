"""The shapes of tracks on single frames.

The rules are CVAT's own (``dataset_manager/annotation.py``, ``get_interpolated_shapes``), except for
polygons and polylines that change between two keyframes: CVAT matches their points by lengths, and they are
not computed here.
"""

from __future__ import annotations

from collections.abc import Iterable

from labelspace_ops.cvat.models import AttributeValue, Keyframe, Shape, Track

STRAIGHT = ("rectangle", "ellipse", "cuboid", "skeleton")
"""Types whose points move in a straight line from keyframe to keyframe."""
OUTLINES = ("polygon", "polyline")


def interpolate(tracks: Iterable[Track], frames: Iterable[int]) -> tuple[list[Shape], list[Shape]]:
    """Return the visible shapes of ``tracks`` on ``frames``, and those whose points only CVAT can compute."""
    shapes = [_shape(track, frame) for track in tracks for frame in sorted(set(frames))]
    visible = [shape for shape in shapes if shape is not None and not _is_outside(shape)]
    known = [shape for shape in visible if shape.points is not None]
    return known, [shape for shape in visible if shape.points is None]


def _is_outside(shape: Shape) -> bool:
    """Whether the shape, or every point of its skeleton, is outside of the frame."""
    return shape.outside or bool(shape.elements and all(one.outside for one in shape.elements))


def _shape(track: Track, frame: int) -> Shape | None:
    """Return the shape of a track on a frame, None before its first keyframe."""
    keys = sorted(track.shapes, key=lambda key: key.frame)
    past = [key for key in keys if key.frame <= frame]
    if not past:
        return None
    before = past[-1]
    after = next((key for key in keys if key.frame > frame), before)
    points, rotation = _position(before, after, frame)
    elements = [shape for one in track.elements if (shape := _shape(one, frame))]
    return Shape(
        frame=frame,
        label_id=track.label_id,
        type=before.type,
        occluded=before.occluded,
        outside=before.outside,
        z_order=before.z_order,
        points=points,
        rotation=rotation,
        attributes=[*_latest(past), *track.attributes],
        **{"group": track.group, "source": track.source},
        **({"elements": elements} if elements else {}),
    )


def _latest(keys: list[Keyframe]) -> list[AttributeValue]:
    """Return the last value of each attribute: a keyframe lists only those that change."""
    return list({one.spec_id: one for key in keys for one in key.attributes}.values())


def _position(before: Keyframe, after: Keyframe, frame: int) -> tuple[list[float] | None, float]:
    """Return points (None where only CVAT can compute them) and rotation in degrees."""
    same = before.points == after.points and before.rotation == after.rotation
    if same or before.frame == frame or not _moves(before, after):
        return before.points, before.rotation
    if before.type in OUTLINES:
        return None, before.rotation
    part = (frame - before.frame) / (after.frame - before.frame)
    pairs = zip(before.points, after.points, strict=True)
    points = [start + (end - start) * part for start, end in pairs]
    return points, (before.rotation + _turn(before, after) * part) % 360


def _moves(before: Keyframe, after: Keyframe) -> bool:
    """Return False for a group of several points, which stays in place until the next keyframe."""
    is_single = len(before.points) == len(after.points) == 2
    return before.type in (*STRAIGHT, *OUTLINES) or (before.type == "points" and is_single)


def _turn(before: Keyframe, after: Keyframe) -> float:
    """Return the turn from ``before`` to ``after`` in degrees, the shorter way round."""
    return (after.rotation - before.rotation + 180) % 360 - 180
