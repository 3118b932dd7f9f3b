"""Reads Label Studio's JSON export: tasks with results (labelstud.io/guide/export)."""

from __future__ import annotations

from typing import Any

from labelspace_ops.audit.dataset import NO_BOX, Box, Builder, JsonObject

FORMAT = "Label Studio JSON"
SHAPES = {"rectanglelabels", "polygonlabels", "ellipselabels", "brushlabels", "keypointlabels"}


def is_tasks(document: Any) -> bool:
    """Whether a JSON list holds tasks."""
    return isinstance(document, list) and bool(document) and isinstance(document[0], dict) and (
        "data" in document[0] and ("annotations" in document[0] or "completions" in document[0])
    )  # fmt: skip


def read(document: list[JsonObject], builder: Builder, name: str) -> None:
    """Fill ``builder``: the first annotation of each task that was not cancelled.

    Shapes are objects. Choices, ratings and text of a shape are its attributes, those of the task its tag.
    """
    builder.shared_attributes = True
    several = sum(len(_annotations(task)) > 1 for task in document)
    if several:
        builder.notes.append(f"{several:,} tasks have more than one annotation: the first of each counts")
    for task in document:
        results = _results(task)
        sizes = [one for one in results if one.get("original_width")]
        width, height = (sizes[0]["original_width"], sizes[0]["original_height"]) if sizes else (0, 0)
        builder.add_image(_file_name(task["data"]), width=width, height=height)
        _task(results, builder, (float(width), float(height)))


def _results(task: JsonObject) -> list[JsonObject]:
    return list(next(iter(_annotations(task)), {}).get("result") or [])


def _annotations(task: JsonObject) -> list[JsonObject]:
    found = task.get("annotations") or task.get("completions") or []
    return [one for one in found if not one.get("was_cancelled")]


def _file_name(data: JsonObject) -> str:
    """The first value that looks like a file, without the address of the server."""
    known = [str(data[key]) for key in ("image", "img", "file", "url") if data.get(key)]
    others = [value for value in data.values() if isinstance(value, str)]
    name = (known or others or ["?"])[0].split("?d=")[-1]
    return name.split("://", 1)[-1]


def _task(results: list[JsonObject], builder: Builder, size: tuple[float, float]) -> None:
    shapes = [one for one in results if one["type"] in SHAPES]
    ids = {one.get("id") for one in shapes}
    own: dict[Any, dict[str, str]] = {identity: {} for identity in ids}
    of_task: dict[str, str] = {}
    for one in results:
        if one["type"] in SHAPES:
            continue
        values = _values(one)
        target = own[one["id"]] if one.get("id") in ids else of_task
        if values and one["type"] == "choices" and not shapes:
            for value in values:
                builder.add(value, (), (), tag=True)
        elif values:
            target[str(one.get("from_name", one["type"]))] = ", ".join(values)
    if of_task:
        builder.add("task", tuple(of_task), list(of_task.values()), tag=True)
    for one in shapes:
        for label in one["value"].get(one["type"], []):
            attributes = own[one.get("id")]
            builder.add(
                label, tuple(attributes), list(attributes.values()), tag=False, identity=one.get("id"),
                box=_box(one["value"], size),
            )  # fmt: skip


def _values(one: JsonObject) -> list[str]:
    value = one.get("value", {}).get(one["type"])
    return [str(part) for part in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _box(value: JsonObject, size: tuple[float, float]) -> Box:
    """The box in pixels; Label Studio writes percents of the image size."""
    if not size[0] or not {"x", "y", "width", "height"} <= value.keys():
        return NO_BOX
    across, down = size[0] / 100, size[1] / 100
    return value["x"] * across, value["y"] * down, value["width"] * across, value["height"] * down
