"""Labels as CVAT keeps them, in one form for the file and for a live project, so that both compare.

``{label: {"type", "color", "attributes": {attribute: {"input", "values", "default", "mutable"}}}}``; without
a colour CVAT chooses one. A skeleton also has its ``drawing`` (``skeleton.py``).
"""

from __future__ import annotations

from typing import Any

from labelspace_ops.labels import skeleton
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.labels.model import SKELETON, UNKNOWN, Attribute, AuditAttribute, Label, Project

Labels = dict[str, dict[str, Any]]
WITHOUT_VALUES = ("checkbox", "text")


def desired(project: Project) -> Labels:
    """What the file asks of a project; its audit block becomes a tag label beside the target labels."""
    labels: Labels = {label.name: _label(label) for label in project.labels}
    for one in project.audit:
        for name in one.objects:
            labels[name]["attributes"][one.name] = _audit(one)
    of_images = {one.name: _audit(one) for one in project.audit if not one.objects}
    return {**labels, **({AUDIT_LABEL: {"type": "tag", "attributes": of_images}} if of_images else {})}


def _label(label: Label) -> dict[str, Any]:
    return {
        "type": label.type,
        **({"color": label.color} if label.color else {}),
        "attributes": {one.name: _attribute(one) for one in label.attributes},
        **({"drawing": _drawing(label)} if label.type == SKELETON else {}),
    }


def _drawing(label: Label) -> skeleton.Drawing:
    points = [{"name": point.name, "position": list(point.position)} for point in label.points]
    return {"points": points, "edges": [list(edge) for edge in label.edges]}


def _attribute(one: Attribute) -> dict[str, Any]:
    number = [str(one.minimum), str(one.maximum), str(one.step)]
    return {
        "input": one.input,
        "values": number if one.input == "number" else list(one.values),
        "default": one.default_value,
        "mutable": one.mutable,
    }


def _audit(one: AuditAttribute) -> dict[str, Any]:
    return {"input": "select", "values": list(one.choices), "default": UNKNOWN, "mutable": False}


def order(labels: Labels) -> dict[str, list[str]]:
    """The order of the file, which a resource's inputs do not keep: of labels (``""``) and attributes."""
    return {"": list(labels), **{name: list(one["attributes"]) for name, one in labels.items()}}


def ordered(labels: Labels, wish: dict[str, list[str]]) -> Labels:
    """``labels`` in that order again."""
    return {
        name: {**labels[name], "attributes": _in_order(labels[name]["attributes"], wish.get(name, []))}
        for name in _in_order(labels, wish.get("", []))
    }


def _in_order(values: dict[str, Any], names: list[str]) -> dict[str, Any]:
    known = [name for name in names if name in values]
    return {name: values[name] for name in [*known, *(one for one in values if one not in known)]}


def renamed(project: Project) -> dict[str, str]:
    """New name -> old name, of labels and of ``label/attribute`` (by the label's new name)."""
    names = {label.name: label.renamed_from for label in project.labels if label.renamed_from}
    for label in project.labels:
        names |= {
            f"{label.name}/{one.name}": one.renamed_from for one in label.attributes if one.renamed_from
        }
    for one in project.audit:
        for place in one.objects or (AUDIT_LABEL,):
            names |= {f"{place}/{one.name}": one.renamed_from} if one.renamed_from else {}
    return names


def current(rows: list[dict[str, Any]]) -> Labels:
    """The same of what CVAT's list of labels says, but for ``foreign`` skeletons."""
    strange = foreign(rows)
    return {
        row["name"]: _live_label(row) for row in rows if row["name"] not in strange and not row["has_parent"]
    }


def foreign(rows: list[dict[str, Any]]) -> list[str]:
    """Skeletons whose drawing cannot be read: they stay as they are."""
    return [row["name"] for row in rows if row["type"] == SKELETON and skeleton.read(row) is None]


def _live_label(row: dict[str, Any]) -> dict[str, Any]:
    attributes = {one["name"]: _live_attribute(one) for one in row["attributes"]}
    drawing = {"drawing": skeleton.read(row)} if row["type"] == SKELETON else {}
    return {"type": row["type"], "color": row["color"].lower(), "attributes": attributes, **drawing}


def _live_attribute(one: dict[str, Any]) -> dict[str, Any]:
    plain = one["input_type"] in WITHOUT_VALUES
    return {
        "input": one["input_type"],
        "values": [] if plain else list(one["values"]),
        "default": one["default_value"].lower() if one["input_type"] == "checkbox" else one["default_value"],
        "mutable": one["mutable"],
    }


def with_defaults_of(labels: Labels, wish: Labels) -> Labels:
    """``labels`` without the colours that ``wish`` leaves to CVAT, and with its order of equal edges."""
    return {name: _as_wished(one, wish.get(name, one)) for name, one in labels.items()}


def _as_wished(one: dict[str, Any], wish: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in one.items() if key != "color" or "color" in wish}
    if "drawing" in one and "drawing" in wish and skeleton.same(one["drawing"], wish["drawing"]):
        found["drawing"] = wish["drawing"]
    return found
