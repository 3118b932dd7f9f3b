"""The steps from CVAT's labels to those of the labels file, and which steps lose annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from labelspace_ops.labels.model import CHOICES, SKELETON
from labelspace_ops.labels.normalized import Labels, NormalAttribute, NormalLabel, with_defaults_of

LOSES = ("remove", "remake")


@dataclass(frozen=True)
class Step:
    """One change: ``rename``, ``remove``, ``remake`` (remove and add again), ``add`` or ``change``."""

    action: str
    label: str
    attribute: str = ""
    detail: str = ""
    renamed_from: str = ""

    @property
    def name(self) -> str:
        """``label`` or ``label/attribute``, as in ``allow_delete``."""
        return f"{self.label}/{self.attribute}" if self.attribute else self.label

    @property
    def sentence(self) -> str:
        """The step in words."""
        subject = f"attribute {self.attribute} of {self.label}" if self.attribute else f"label {self.label}"
        sentences = {
            "rename": f"{subject}: renamed from {self.renamed_from}, its annotations stay",
            "remake": f"{subject}: removed and added again, as CVAT cannot change {self.detail} in place",
            "remove": f"{subject}: removed",
            "add": f"{subject}: new{', ' + self.detail if self.detail else ''}",
        }
        return sentences.get(self.action, f"{subject}: {self.detail}")


def make_plan(present: Labels, target: Labels, renamed: Mapping[str, str]) -> list[Step]:
    """Return the steps from ``present`` to ``target``; empty when nothing differs."""
    present = with_defaults_of(present, target)
    steps = [
        Step("rename", name, renamed_from=renamed[name])
        for name in target
        if name not in present and renamed.get(name, "") in present and renamed[name] not in target
    ]
    new_names = {one.renamed_from: one.label for one in steps}
    present = with_defaults_of({new_names.get(name, name): one for name, one in present.items()}, target)
    steps += [Step("remove", name) for name in present if name not in target]
    for name, label in target.items():
        if name in present:
            steps += _label_steps(name, present[name], label, renamed)
        else:
            attributes = ", ".join(label["attributes"])
            steps.append(
                Step("add", name, detail=label["type"] + (f" with {attributes}" if attributes else ""))
            )
    return steps


def _label_steps(
    name: str, present: NormalLabel, target: NormalLabel, renamed: Mapping[str, str]
) -> Iterator[Step]:
    if fixed := _fixed(present, target):
        yield Step("remake", name, detail=fixed)
        return
    if present["type"] != target["type"]:
        yield Step("change", name, detail=f"type {present['type']} -> {target['type']}")
    if "color" in target and present.get("color") != target["color"]:
        yield Step("change", name, detail=f"color {present.get('color')} -> {target['color']}")
    old = dict(present["attributes"])
    for attribute, value in target["attributes"].items():
        old_name = renamed.get(f"{name}/{attribute}", "")
        if attribute not in old and old_name in old and old_name not in target["attributes"]:
            yield Step("rename", name, attribute, renamed_from=old_name)
            old[attribute] = old.pop(old_name)
        if attribute not in old:
            yield Step("add", name, attribute, value["input"])
        else:
            yield from _attribute_steps(name, attribute, old[attribute], value)
    yield from (Step("remove", name, one) for one in old if one not in target["attributes"])


def _fixed(present: NormalLabel, target: NormalLabel) -> str:
    """Return what CVAT cannot change in a label: it neither redraws a skeleton nor makes one of a label."""
    if present["type"] != target["type"] and SKELETON in (present["type"], target["type"]):
        return f"type {present['type']}"
    return "the points and edges of a skeleton" if present.get("drawing") != target.get("drawing") else ""


def _attribute_steps(
    label: str, name: str, present: NormalAttribute, target: NormalAttribute
) -> Iterator[Step]:
    fixed = []
    if present["input"] != target["input"]:
        fixed.append(f"input {present['input']}")
    if present["mutable"] != target["mutable"]:
        fixed.append(f"mutable {present['mutable']}")
    if not fixed and present["values"] != target["values"] and not _only_adds_choices(present, target):
        fixed.append(f"values {present['values']}")
    if fixed:
        yield Step("remake", label, name, ", ".join(fixed))
        return
    if present["values"] != target["values"]:
        yield Step("change", label, name, f"values {_listed(present)} -> {_listed(target)}")
    if present["default"] != target["default"]:
        old, new = (one["default"] or "(none)" for one in (present, target))
        yield Step("change", label, name, f"default {old} -> {new}")


def _only_adds_choices(present: NormalAttribute, target: NormalAttribute) -> bool:
    """CVAT adds choices; it refuses to remove one or to change the range of a number."""
    return present["input"] in CHOICES and set(present["values"]) <= set(target["values"])


def _listed(attribute: NormalAttribute) -> str:
    return ", ".join(attribute["values"])
