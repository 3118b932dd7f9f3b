"""Labels in one form for the labels file and for CVAT, so that both can be compared.

The form is JSON, as it is also an input of the Pulumi resource ``CvatProject``.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict, TypeVar

from labelspace_ops.cvat import models
from labelspace_ops.labels import skeleton
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.labels.model import SKELETON, UNKNOWN, Attribute, AuditAttribute, Label, Project


class NormalAttribute(TypedDict):
    """An attribute; ``values`` are the choices, or minimum, maximum and step of a number."""

    input: str
    values: list[str]
    default: str
    mutable: bool


class NormalLabel(TypedDict):
    """A label; without ``color`` CVAT chooses one. A skeleton has a ``drawing``."""

    type: str
    color: NotRequired[str]
    attributes: dict[str, NormalAttribute]
    drawing: NotRequired[skeleton.Drawing]


Labels = dict[str, NormalLabel]
"""Labels by name."""
WITHOUT_VALUES = ("checkbox", "text")
T = TypeVar("T")


def desired(project: Project) -> Labels:
    """Return the labels of a project of the file; its audit block becomes a tag label."""
    labels = {label.name: _label(label) for label in project.labels}
    for one in project.audit:
        for name in one.objects:
            labels[name]["attributes"][one.name] = _audit(one)
    of_images = {one.name: _audit(one) for one in project.audit if not one.objects}
    return {**labels, **({AUDIT_LABEL: {"type": "tag", "attributes": of_images}} if of_images else {})}


def _label(label: Label) -> NormalLabel:
    attributes = {one.name: _attribute(one) for one in label.attributes}
    normal: NormalLabel = {"type": label.type, "attributes": attributes}
    if label.color:
        normal["color"] = label.color
    if label.type == SKELETON:
        normal["drawing"] = {
            "points": [{"name": point.name, "position": list(point.position)} for point in label.points],
            "edges": [list(edge) for edge in label.edges],
        }
    return normal


def _attribute(one: Attribute) -> NormalAttribute:
    number = [str(one.minimum), str(one.maximum), str(one.step)]
    return {
        "input": one.input,
        "values": number if one.input == "number" else list(one.values),
        "default": one.default_value,
        "mutable": one.mutable,
    }


def _audit(one: AuditAttribute) -> NormalAttribute:
    return {"input": "select", "values": list(one.choices), "default": UNKNOWN, "mutable": False}


def order(labels: Labels) -> dict[str, list[str]]:
    """Return the order of the labels (key ``""``) and of each label's attributes.

    Pulumi does not keep the order of a resource's inputs.
    """
    return {"": list(labels), **{name: list(one["attributes"]) for name, one in labels.items()}}


def ordered(labels: Labels, names: dict[str, list[str]]) -> Labels:
    """Return ``labels`` in the order that ``order`` returned."""
    result: Labels = {}
    for name, label in _in_order(labels, names.get("", [])).items():
        result[name] = {**label, "attributes": _in_order(label["attributes"], names.get(name, []))}
    return result


def _in_order(values: dict[str, T], names: list[str]) -> dict[str, T]:
    known = [name for name in names if name in values]
    return {name: values[name] for name in dict.fromkeys([*known, *values])}


def renamed(project: Project) -> dict[str, str]:
    """Return old names by new names, of labels and of ``label/attribute`` (with the label's new name)."""
    names = {label.name: label.renamed_from for label in project.labels}
    names |= {
        f"{label.name}/{one.name}": one.renamed_from for label in project.labels for one in label.attributes
    }
    for one in project.audit:
        names |= {f"{label}/{one.name}": one.renamed_from for label in one.objects or (AUDIT_LABEL,)}
    return {new: old for new, old in names.items() if old}


def current(rows: list[models.Label]) -> Labels:
    """Return CVAT's labels in the same form, without ``foreign`` skeletons and points of skeletons."""
    unreadable = foreign(rows)
    return {row.name: _of_cvat(row) for row in rows if row.name not in unreadable and not row.has_parent}


def foreign(rows: list[models.Label]) -> list[str]:
    """Return the names of skeletons whose drawing cannot be read: they are not changed."""
    return [row.name for row in rows if row.type == SKELETON and skeleton.read(row) is None]


def _of_cvat(row: models.Label) -> NormalLabel:
    attributes = {one.name: _attribute_of_cvat(one) for one in row.attributes}
    label: NormalLabel = {"type": row.type, "color": row.color.lower(), "attributes": attributes}
    if row.type == SKELETON and (drawing := skeleton.read(row)):
        label["drawing"] = drawing
    return label


def _attribute_of_cvat(one: models.Attribute) -> NormalAttribute:
    return {
        "input": one.input_type,
        "values": [] if one.input_type in WITHOUT_VALUES else list(one.values),
        "default": one.default_value.lower() if one.input_type == "checkbox" else one.default_value,
        "mutable": one.mutable,
    }


def with_defaults_of(labels: Labels, target: Labels) -> Labels:
    """Return ``labels`` without what ``target`` leaves to CVAT: colours, and the order of equal edges."""
    return {name: _with_defaults_of(one, target.get(name, one)) for name, one in labels.items()}


def _with_defaults_of(one: NormalLabel, target: NormalLabel) -> NormalLabel:
    label = one.copy()
    if "color" not in target:
        label.pop("color", None)
    if "drawing" in one and "drawing" in target and skeleton.same(one["drawing"], target["drawing"]):
        label["drawing"] = target["drawing"]
    return label
