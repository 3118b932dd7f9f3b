"""A project in CVAT brought to its wish; a label or attribute with annotations goes only when it is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labelspace_ops.core.errors import UsageError
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels import normalized, plan, skeleton
from labelspace_ops.labels.normalized import Labels
from labelspace_ops.labels.plan import Step

Rows = list[dict[str, Any]]


def label_rows(cvat: CvatClient, number: int) -> Rows:
    """Every label of a project, as CVAT lists them."""
    return list(cvat.list_all("/labels", project_id=number))


def annotated(cvat: CvatClient, number: int, labels: Iterable[int]) -> set[int]:
    """Those of the labels (by id) that an annotation carries; reads job by job and stops when all are found.

    CVAT cannot count annotations by label, so what is named in ``allow_delete`` is not asked for.
    """
    wanted, found = set(labels), set()
    for job in cvat.list_all("/jobs", project_id=number) if wanted else ():
        said = cvat.get(f"/jobs/{job['id']}/annotations")
        for kind in ("tags", "shapes", "tracks"):
            found |= wanted & {row["label_id"] for row in said.get(kind, [])}
        if found == wanted:
            break
    return found


def unconfirmed_losses(
    cvat: CvatClient, number: int, steps: list[Step], allow_delete: Iterable[str], rows: Rows
) -> list[Step]:
    """The steps that would lose what annotators said without being named in ``allow_delete``."""
    allowed = set(allow_delete)
    risky = [step for step in steps if step.action in plan.LOSES and step.name not in allowed]
    now = {step.label: step.renamed_from for step in steps if step.action == "rename" and not step.attribute}
    ids = {row["name"]: row["id"] for row in rows}
    number_of = {step: ids[now.get(step.label, step.label)] for step in risky}
    carried = annotated(cvat, number, number_of.values())
    return [step for step in risky if number_of[step] in carried]


def refusal(steps: list[Step]) -> str:
    """Why nothing is done, and what to do."""
    names = ", ".join(f"'{step.name}'" for step in steps)
    what = "; ".join(step.sentence for step in steps)
    return (
        f"{what}: annotations carry it. Keep it in the file (`labelspace labels pull` shows what CVAT has),"
        f" rename it with `renamed_from:`, or delete it with its annotations: allow_delete: [{names}]"
    )


def create(cvat: CvatClient, name: str, wish: Labels) -> int:
    """A new project with its labels; returns its number."""
    return int(cvat.post("/projects", {"name": name, "labels": [_new(*one) for one in wish.items()]})["id"])


def apply(
    cvat: CvatClient, number: int, wish: Labels, renamed: Mapping[str, str], allow_delete: Iterable[str] = ()
) -> None:
    """Bring the labels of a project to ``wish``; raises ``UsageError`` before anything is lost unasked."""
    rows = label_rows(cvat, number)
    todo = plan.make_plan(normalized.current(rows), wish, renamed)
    refused = unconfirmed_losses(cvat, number, todo, allow_delete, rows)
    if refused:
        raise UsageError(refusal(refused))
    if first := _goings(todo, rows):
        cvat.patch(f"/projects/{number}", {"labels": first})
        rows = label_rows(cvat, number)
    if then := _comings(plan.make_plan(normalized.current(rows), wish, {}), wish, rows):
        cvat.patch(f"/projects/{number}", {"labels": then})


def _goings(todo: list[Step], rows: Rows) -> Rows:
    """First what is renamed or removed, in CVAT's own words."""
    now = {step.renamed_from: step.label for step in todo if step.action == "rename" and not step.attribute}
    bodies = [_going(row, now.get(row["name"]) or row["name"], todo) for row in rows]
    return [body for row, body in zip(rows, bodies, strict=True) if body.get("deleted") or body["attributes"]
            or body["name"] != row["name"]]  # fmt: skip


def _going(row: dict[str, Any], name: str, todo: list[Step]) -> dict[str, Any]:
    mine = [step for step in todo if step.label == name]
    anew = any(step.action == "remake" and not step.attribute for step in mine)
    if anew or (Step("remove", name) in mine and row["name"] == name):
        return {"id": row["id"], "name": row["name"], "deleted": True}
    new_names = {
        step.renamed_from: step.attribute for step in mine if step.action == "rename" and step.attribute
    }
    gone = {step.attribute for step in mine if step.action in plan.LOSES}
    attributes = []
    for one in row["attributes"]:
        if one["name"] in new_names:
            attributes.append({**one, "name": new_names[one["name"]]})
        if new_names.get(one["name"], one["name"]) in gone:
            attributes.append({**one, "deleted": True})
    return {**_head(row), "name": name, "attributes": attributes}


def _head(row: dict[str, Any]) -> dict[str, Any]:
    """A label that a PATCH names must bring its colour: CVAT draws a new one otherwise."""
    return {key: row[key] for key in ("id", "name", "color", "type")}


def _comings(todo: list[Step], wish: Labels, rows: Rows) -> Rows:
    """Then what is new or changed; nothing is lost by it."""
    known = {row["name"]: row for row in rows}
    touched = {step.label for step in todo}
    return [
        _changed(known[name], label) if name in known else _new(name, label)
        for name, label in wish.items()
        if name in touched
    ]


def _changed(row: dict[str, Any], label: dict[str, Any]) -> dict[str, Any]:
    ids = {one["name"]: one["id"] for one in row["attributes"]}
    attributes = [
        {**_attribute(name, one), **({"id": ids[name]} if name in ids else {})}
        for name, one in label["attributes"].items()
    ]
    return {**_head(row), "type": label["type"], "color": label.get("color", row["color"]),
            "attributes": attributes}  # fmt: skip


def _new(name: str, label: dict[str, Any]) -> dict[str, Any]:
    attributes = [_attribute(*one) for one in label["attributes"].items()]
    color = {"color": label["color"]} if "color" in label else {}
    drawing = skeleton.body(label["drawing"]) if "drawing" in label else {}
    return {"name": name, "type": label["type"], **color, "attributes": attributes, **drawing}


def _attribute(name: str, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "input_type": one["input"],
        "values": one["values"],
        "default_value": one["default"],
        "mutable": one["mutable"],
    }
