"""Write a labels file from CVAT's projects; what CVAT does not store comes from the existing file."""

from __future__ import annotations

from labelspace_ops.cvat import models
from labelspace_ops.cvat.client import CvatClient, require_project
from labelspace_ops.labels import labels_file, normalized
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.labels.model import CHOICES, UNKNOWN, LabelsFile, Project
from labelspace_ops.labels.normalized import Labels, NormalAttribute, NormalLabel

Block = dict[str, object]
"""A block of the file, before it is validated."""


def pull(cvat: CvatClient, names: list[str], known: LabelsFile) -> tuple[LabelsFile, list[str]]:
    """Return the file of the named projects (none: of all), with notes on what it leaves out.

    ``known`` is the existing file: the annotators and the kinds of audit attributes come from it.
    """
    projects = [require_project(cvat, name) for name in names]
    notes: list[str] = []
    blocks = [
        _project(one.name, cvat.labels(one.id), known.project(one.name), notes)
        for one in projects or sorted(cvat.projects(), key=lambda one: one.id)
    ]
    values = known.model_dump(mode="json", exclude_defaults=True)
    return labels_file.parse({**values, "projects": blocks}, "CVAT"), notes


def _project(name: str, rows: list[models.Label], known: Project | None, notes: list[str]) -> Block:
    labels = normalized.current(rows)
    if known:  # CVAT lists labels that were added again last; the file does not move them
        labels = normalized.ordered(labels, normalized.order(normalized.desired(known)))
    notes += [
        f"{name}: skeleton {one}: not written, as its drawing is none of CVAT's: it stays as it is"
        for one in normalized.foreign(rows)
    ]
    notes += [
        f"{name}: skeleton {one.name}: attributes of its points are not written, they stay"
        for one in rows
        if any(point.attributes for point in one.sublabels)
    ]
    audit, objects = _audit(labels, known, f"{name}: ", notes)
    without_color = {label.name for label in known.labels if label.color is None} if known else set()
    targets = [
        _label(label, one, objects, colored=label not in without_color)
        for label, one in labels.items()
        if label != AUDIT_LABEL
    ]
    return {"name": name, "labels": targets, **({"audit": audit} if audit else {})}


def _audit(
    labels: Labels, known: Project | None, where: str, notes: list[str]
) -> tuple[list[Block], dict[str, list[str]]]:
    """Return the audit block, and the labels whose objects have an audit attribute, by the attribute.

    It has the attributes of the tag label, and those of objects that are in the known file's audit block.
    """
    kinds = {one.name: one for one in known.audit} if known else {}
    tag = labels[AUDIT_LABEL]["attributes"] if AUDIT_LABEL in labels else {}
    blocks: dict[str, Block] = {}
    for name, one in tag.items():
        if name not in kinds:
            notes.append(f"{where}audit attribute {name}: CVAT does not know its kind: see whether it is one")
        blocks[name] = _audit_attribute(name, one, kinds[name].kind if name in kinds else "condition")
    objects: dict[str, list[str]] = {}
    for name, marked in kinds.items():
        found = [one for one in marked.objects if one in labels and name in labels[one]["attributes"]]
        if found:
            objects[name] = found
            attribute = labels[found[0]]["attributes"][name]
            blocks[name] = {**_audit_attribute(name, attribute, marked.kind), "objects": found}
    return list(blocks.values()), objects


def _audit_attribute(name: str, one: NormalAttribute, kind: str) -> Block:
    return {"name": name, "kind": kind, "values": [value for value in one["values"] if value != UNKNOWN]}


def _label(name: str, one: NormalLabel, objects: dict[str, list[str]], *, colored: bool) -> Block:
    """Return a label's block; a label whose colour the known file leaves to CVAT gets none."""
    attributes = [
        _attribute(attribute, value)
        for attribute, value in one["attributes"].items()
        if name not in objects.get(attribute, [])
    ]
    color = {"color": one["color"]} if colored else {}
    return {"name": name, "type": one["type"], **color, "attributes": attributes, **one.get("drawing", {})}


def _attribute(name: str, one: NormalAttribute) -> Block:
    values = one["values"]
    block: Block = {"name": name, "input": one["input"], "mutable": one["mutable"]}
    if one["input"] in CHOICES:
        block["values"] = values
    if one["input"] == "number":
        block |= dict(zip(("minimum", "maximum", "step"), values, strict=False))  # CVAT takes any text
    usual = {"checkbox": "false", "number": values[0] if values else "", "text": ""}
    if one["default"] != usual.get(one["input"], values[0] if values else ""):
        block["default"] = one["default"]
    return block
