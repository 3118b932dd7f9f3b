"""A labels file written from what CVAT has; what CVAT does not know is taken from the file of before."""

from __future__ import annotations

from typing import Any

from labelspace_ops.cvat.client import CvatClient, require_project
from labelspace_ops.labels import labels_file, normalized, project
from labelspace_ops.labels.audit_choices import AUDIT_LABEL
from labelspace_ops.labels.model import CHOICES, UNKNOWN, LabelsFile, Project

Values = dict[str, Any]
NOTHING: Values = {"attributes": {}}


def pull(cvat: CvatClient, names: list[str], known: LabelsFile) -> tuple[LabelsFile, list[str]]:
    """The file of the named projects (none: all), with the annotators of ``known``, and notes for people."""
    rows = [require_project(cvat, name) for name in names] or sorted(
        cvat.list_all("/projects"), key=lambda row: row["id"]
    )
    notes: list[str] = []
    found = [_project(cvat, row, known.project(row["name"]), notes) for row in rows]
    values = known.model_dump(mode="json", exclude_defaults=True)
    return labels_file.parse({**values, "projects": found}, "CVAT"), notes


def _project(cvat: CvatClient, row: Values, known: Project | None, notes: list[str]) -> Values:
    rows = project.label_rows(cvat, row["id"])
    labels = normalized.current(rows)
    if known:  # what was made anew is last in CVAT, and stays where it is in the file
        labels = normalized.ordered(labels, normalized.order(normalized.desired(known)))
    notes += [
        f"{row['name']}: skeleton {name}: not written, as its drawing is none of CVAT's: it stays as it is"
        for name in normalized.foreign(rows)
    ]
    notes += [
        f"{row['name']}: skeleton {one['name']}: attributes of its points are not written, they stay"
        for one in rows
        if any(point["attributes"] for point in one.get("sublabels", []))
    ]
    audit = _audit(labels, known, f"{row['name']}: ", notes)
    kept = _known_colors(known)
    targets = [
        _label(name, one, audit, kept.get(name)) for name, one in labels.items() if name != AUDIT_LABEL
    ]
    return {"name": row["name"], "labels": targets, **({"audit": list(audit.values())} if audit else {})}


def _known_colors(known: Project | None) -> dict[str, bool]:
    return {label.name: label.color is not None for label in known.labels} if known else {}


def _audit(
    labels: normalized.Labels, known: Project | None, where: str, notes: list[str]
) -> dict[str, Values]:
    """The audit block: the tag label's attributes, and those of objects that the known file calls so."""
    kinds = {one.name: one for one in known.audit} if known else {}
    tag = labels.get(AUDIT_LABEL, NOTHING)["attributes"]
    found: dict[str, Values] = {}
    for name, one in tag.items():
        if name not in kinds:
            notes.append(f"{where}audit attribute {name}: CVAT does not know its kind: see whether it is one")
        found[name] = _audit_attribute(name, one, kinds[name].kind if name in kinds else "condition")
    for name, marked in kinds.items():
        places = [label for label in marked.objects if name in labels.get(label, NOTHING)["attributes"]]
        if places:
            one = labels[places[0]]["attributes"][name]
            found[name] = {**_audit_attribute(name, one, marked.kind), "objects": places}
    return found


def _audit_attribute(name: str, one: Values, kind: str) -> Values:
    return {"name": name, "kind": kind, "values": [value for value in one["values"] if value != UNKNOWN]}


def _label(name: str, one: Values, audit: dict[str, Values], colored: bool | None) -> Values:
    """CVAT always has a colour; a file that left it to CVAT goes on doing so."""
    attributes = [
        _attribute(*pair)
        for pair in one["attributes"].items()
        if name not in audit.get(pair[0], {}).get("objects", [])
    ]
    color = {} if colored is False else {"color": one["color"]}
    return {"name": name, "type": one["type"], **color, "attributes": attributes, **one.get("drawing", {})}


def _attribute(name: str, one: Values) -> Values:
    values = one["values"]
    given: Values = {"name": name, "input": one["input"], "mutable": one["mutable"]}
    if one["input"] in CHOICES:
        given["values"] = values
    if one["input"] == "number":
        given |= dict(zip(("minimum", "maximum", "step"), map(int, values), strict=False))
    usual = {"checkbox": "false", "number": values[0] if values else "", "text": ""}
    if one["default"] != usual.get(one["input"], values[0] if values else ""):
        given["default"] = one["default"]
    return given
