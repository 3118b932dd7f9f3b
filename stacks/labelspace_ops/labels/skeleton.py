"""Skeletons: the points and edges of the labels file, and the SVG that CVAT stores.

CVAT (``serializers.py``) takes sublabels and SVG elements when a skeleton is created, replaces the
points' names by its own ids in the SVG, and never changes the SVG again.
"""

from __future__ import annotations

from typing import Any, TypedDict
from xml.sax.saxutils import quoteattr

from lxml import etree

from labelspace_ops.cvat.models import Label


class Point(TypedDict):
    """A point; ``position`` is x and y in percent of the drawing."""

    name: str
    position: list[float]


class Drawing(TypedDict):
    """The points of a skeleton, and its edges as pairs of points' names."""

    points: list[Point]
    edges: list[list[str]]


RADIUS = 0.75
"""Radius of a point, as CVAT's own editor draws it."""


def body(drawing: Drawing) -> dict[str, object]:
    """Return ``sublabels`` and ``svg`` of a new skeleton for CVAT's API."""
    points = drawing["points"]
    node = {point["name"]: number for number, point in enumerate(points, 1)}
    position = {point["name"]: point["position"] for point in points}
    lines = [_line(position[one], position[two], node[one], node[two]) for one, two in drawing["edges"]]
    circles = [_circle(point, node[point["name"]]) for point in points]
    return {
        "sublabels": [{"name": name, "type": "points", "attributes": []} for name in node],
        "svg": "\n".join([*lines, *circles]),
    }


def _line(start: list[float], end: list[float], one: int, two: int) -> str:
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return _element("line", {**ends, "data-type": "edge", "data-node-from": one, "data-node-to": two})


def _circle(point: Point, number: int) -> str:
    x, y = point["position"]
    ids = {"data-element-id": number, "data-node-id": number, "data-label-name": point["name"]}
    return _element("circle", {"r": RADIUS, "cx": x, "cy": y, "data-type": "element node", **ids})


def _element(tag: str, attributes: dict[str, object]) -> str:
    text = " ".join(f"{key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{tag} {text}></{tag}>"


def read(label: Label) -> Drawing | None:
    """Return the drawing of CVAT's label; None when another program made its SVG."""
    names = {str(one.id): one.name for one in label.sublabels}
    try:
        root = etree.fromstring(f"<svg>{label.svg or ''}</svg>", _parser())
        node = {one.attrib["data-node-id"]: _point(one, names) for one in root.iter("circle")}
        edges = [_edge(one, node) for one in root.iter("line")]
    except (etree.XMLSyntaxError, KeyError, ValueError):
        return None
    points = list(node.values())
    if not points or sorted(point["name"] for point in points) != sorted(names.values()):
        return None
    return {"points": points, "edges": edges}


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _point(circle: Any, names: dict[str, str]) -> Point:
    position = [round(float(circle.attrib[key]), 2) for key in ("cx", "cy")]
    if not all(0 <= one <= 100 for one in position):
        raise ValueError(position)
    return {"name": names[circle.attrib["data-label-id"]], "position": position}


def _edge(line: Any, node: dict[str, Point]) -> list[str]:
    return [node[line.attrib[key]]["name"] for key in ("data-node-from", "data-node-to")]


def same(one: Drawing, two: Drawing) -> bool:
    """Return whether two drawings are equal for CVAT: edges have neither order nor direction."""
    return one["points"] == two["points"] and _undirected(one) == _undirected(two)


def _undirected(drawing: Drawing) -> list[list[str]]:
    return sorted(sorted(edge) for edge in drawing["edges"])
