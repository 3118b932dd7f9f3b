"""Bring a project's labels in CVAT to the labels file, which alone can allow to delete annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat import models
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels import normalized, plan, skeleton
from labelspace_ops.labels.normalized import Labels, NormalAttribute, NormalLabel
from labelspace_ops.labels.plan import Step

Rows = list[models.Label]
Body = dict[str, object]


def annotated(cvat: CvatClient, number: int, labels: Iterable[int]) -> set[int]:
    """Return those of ``labels`` (ids) that have annotations; reads job by job until all are found.

    CVAT cannot count annotations by label.
    """
    searched, found = set(labels), set[int]()
    for job in cvat.jobs(project_id=number) if searched else ():
        found |= searched & cvat.annotated_labels(job.id)
        if found == searched:
            break
    return found


def unconfirmed_losses(
    cvat: CvatClient, number: int, steps: list[Step], allow_delete: Iterable[str], rows: Rows
) -> list[Step]:
    """Return the steps that would lose annotations and are not in ``allow_delete``."""
    allowed = set(allow_delete)
    risky = [step for step in steps if step.action in plan.LOSES and step.name not in allowed]
    old_names = {one.label: one.renamed_from for one in steps if one.action == "rename" and not one.attribute}
    ids = {row.name: row.id for row in rows}
    label_id = {step: ids[old_names.get(step.label, step.label)] for step in risky}
    with_annotations = annotated(cvat, number, label_id.values())
    return [step for step in risky if label_id[step] in with_annotations]


def refusal(steps: list[Step]) -> str:
    """Return the reason why nothing was changed, with the next steps."""
    names = ", ".join(f"'{step.name}'" for step in steps)
    what = "; ".join(step.sentence for step in steps)
    return (
        f"{what}: annotations carry it. Keep it in the file (`labelspace labels pull NAME` writes it),"
        f" rename it with `renamed_from:`, or delete it with its annotations: allow_delete: [{names}]"
    )


def create(cvat: CvatClient, name: str, target: Labels) -> int:
    """Create a project with its labels; returns its id."""
    labels = [_new(*one) for one in target.items()]
    return int(cvat.post("/projects", {"name": name, "labels": labels})["id"])


def apply(
    cvat: CvatClient,
    number: int,
    target: Labels,
    renamed: Mapping[str, str],
    allow_delete: Iterable[str] = (),
) -> None:
    """Bring a project's labels to ``target``; raises ``UsageError`` before an unconfirmed loss."""
    rows = cvat.labels(number)
    steps = plan.make_plan(normalized.current(rows), target, renamed)
    refused = unconfirmed_losses(cvat, number, steps, allow_delete, rows)
    if refused:
        raise UsageError(refusal(refused))
    if removals := _removals(steps, rows):
        cvat.patch(f"/projects/{number}", {"labels": removals})
        rows = cvat.labels(number)
    if additions := _additions(plan.make_plan(normalized.current(rows), target, {}), target, rows):
        cvat.patch(f"/projects/{number}", {"labels": additions})


def _removals(steps: list[Step], rows: Rows) -> list[Body]:
    """Return bodies for the labels and attributes that are renamed or removed: CVAT needs them first."""
    new_names = {one.renamed_from: one.label for one in steps if one.action == "rename" and not one.attribute}
    bodies = [_removal(row, new_names.get(row.name) or row.name, steps) for row in rows]
    return [body for row, body in zip(rows, bodies, strict=True)
            if body.get("deleted") or body["attributes"] or body["name"] != row.name]  # fmt: skip


def _removal(row: models.Label, name: str, steps: list[Step]) -> Body:
    own = [step for step in steps if step.label == name]
    remade = any(step.action == "remake" and not step.attribute for step in own)
    if remade or (Step("remove", name) in own and row.name == name):
        return {"id": row.id, "name": row.name, "deleted": True}
    new_names = {one.renamed_from: one.attribute for one in own if one.action == "rename" and one.attribute}
    removed = {step.attribute for step in own if step.action in plan.LOSES}
    attributes = []
    for one in row.attributes:
        if one.name in new_names:
            attributes.append({**one.model_dump(), "name": new_names[one.name]})
        if new_names.get(one.name, one.name) in removed:
            attributes.append({**one.model_dump(), "deleted": True})
    return {**_head(row), "name": name, "attributes": attributes}


def _head(row: models.Label) -> Body:
    """Return what a PATCH must repeat: without the colour CVAT draws a new one."""
    return row.model_dump(include={"id", "name", "color", "type"})


def _additions(steps: list[Step], target: Labels, rows: Rows) -> list[Body]:
    """Return bodies for the labels that are new or changed; they lose nothing."""
    present = {row.name: row for row in rows}
    touched = {step.label for step in steps}
    return [
        _changed(present[name], label) if name in present else _new(name, label)
        for name, label in target.items()
        if name in touched
    ]


def _changed(row: models.Label, label: NormalLabel) -> Body:
    ids = {one.name: one.id for one in row.attributes}
    attributes = [
        {**_attribute(name, one), **({"id": ids[name]} if name in ids else {})}
        for name, one in label["attributes"].items()
    ]
    return {**_head(row), "type": label["type"], "color": label.get("color", row.color),
            "attributes": attributes}  # fmt: skip


def _new(name: str, label: NormalLabel) -> Body:
    attributes = [_attribute(*one) for one in label["attributes"].items()]
    color = {"color": label["color"]} if "color" in label else {}
    drawing = skeleton.body(label["drawing"]) if "drawing" in label else {}
    return {"name": name, "type": label["type"], **color, "attributes": attributes, **drawing}


def _attribute(name: str, one: NormalAttribute) -> Body:
    return {
        "name": name,
        "input_type": one["input"],
        "values": one["values"],
        "default_value": one["default"],
        "mutable": one["mutable"],
    }
