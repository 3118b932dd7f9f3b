"""Skeletons: points and edges as the file has them, and the SVG that CVAT keeps of them.

``{"points": [{"name", "position": [x, y]}], "edges": [[name, name]]}``, positions in percent of the
drawing. CVAT (2.73, ``serializers.py``) takes sublabels and a piece of SVG when a
skeleton is made, replaces the points' names by its own ids there, and never changes the SVG again.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

Drawing = dict[str, Any]
RADIUS = 0.75
"""Of a point, as CVAT's own editor draws it."""


def body(drawing: Drawing) -> dict[str, Any]:
    """``sublabels`` and ``svg`` of a new skeleton, in CVAT's own words."""
    points = drawing["points"]
    node = {point["name"]: number for number, point in enumerate(points, 1)}
    place = {point["name"]: point["position"] for point in points}
    lines = [_line(place[one], place[two], node[one], node[two]) for one, two in drawing["edges"]]
    circles = [_circle(point["name"], point["position"], node[point["name"]]) for point in points]
    return {
        "sublabels": [{"name": name, "type": "points", "attributes": []} for name in node],
        "svg": "\n".join([*lines, *circles]),
    }


def _line(start: list[float], end: list[float], one: int, two: int) -> str:
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return _element("line", {**ends, "data-type": "edge", "data-node-from": one, "data-node-to": two})


def _circle(name: str, position: list[float], number: int) -> str:
    place = {"r": RADIUS, "cx": position[0], "cy": position[1], "data-type": "element node"}
    ids = {"data-element-id": number, "data-node-id": number, "data-label-name": name}
    return _element("circle", {**place, **ids})


def _element(tag: str, attributes: dict[str, Any]) -> str:
    return (
        f"<{tag} {' '.join(f'{key}={quoteattr(str(value))}' for key, value in attributes.items())}></{tag}>"
    )


def read(row: dict[str, Any]) -> Drawing | None:
    """The same of a label as CVAT lists it; None when its SVG is not of this kind (drawn by other means)."""
    names = {str(one["id"]): one["name"] for one in row.get("sublabels", [])}
    try:
        root = etree.fromstring(f"<svg>{row.get('svg') or ''}</svg>", _parser())
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


def _point(circle: Any, names: dict[str, str]) -> dict[str, Any]:
    position = [round(float(circle.attrib[key]), 2) for key in ("cx", "cy")]
    if not all(0 <= one <= 100 for one in position):
        raise ValueError(position)
    return {"name": names[circle.attrib["data-label-id"]], "position": position}


def _edge(line: Any, node: dict[str, dict[str, Any]]) -> list[str]:
    return [node[line.attrib[key]]["name"] for key in ("data-node-from", "data-node-to")]


def same(one: Drawing, two: Drawing) -> bool:
    """Whether two drawings differ in nothing that CVAT tells apart: an edge has no direction."""
    return one["points"] == two["points"] and _undirected(one) == _undirected(two)


def _undirected(drawing: Drawing) -> list[list[str]]:
    return sorted(sorted(edge) for edge in drawing["edges"])
