"""What has to happen to a project's labels, step by step, and which steps lose what annotators said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labelspace_ops.labels.model import CHOICES, SKELETON
from labelspace_ops.labels.normalized import Labels, with_defaults_of

LOSES = ("remove", "remake")


@dataclass(frozen=True)
class Step:
    """One change: ``rename``, ``remove``, ``remake`` (removed and added anew), ``add`` or ``change``."""

    action: str
    label: str
    attribute: str = ""
    detail: str = ""
    renamed_from: str = ""

    @property
    def name(self) -> str:
        """``label`` or ``label/attribute``, as ``allow_delete`` lists it."""
        return f"{self.label}/{self.attribute}" if self.attribute else self.label

    @property
    def sentence(self) -> str:
        """The step for people."""
        what = f"attribute {self.attribute} of {self.label}" if self.attribute else f"label {self.label}"
        said = {
            "rename": f"{what}: was {self.renamed_from}, what annotators said stays",
            "remake": f"{what}: removed and added anew, as CVAT cannot change {self.detail} in place",
            "remove": f"{what}: removed",
            "add": f"{what}: new{', ' + self.detail if self.detail else ''}",
        }
        return said.get(self.action, f"{what}: {self.detail}")


def make_plan(have: Labels, wish: Labels, renamed: Mapping[str, str]) -> list[Step]:
    """How ``have`` becomes ``wish``; empty when there is nothing to do."""
    have = with_defaults_of(have, wish)
    found = [
        Step("rename", name, renamed_from=renamed[name])
        for name in wish
        if name not in have and renamed.get(name, "") in have and renamed[name] not in wish
    ]
    now = {one.renamed_from: one.label for one in found}
    have = with_defaults_of({now.get(name, name): label for name, label in have.items()}, wish)
    found += [Step("remove", name) for name in have if name not in wish]
    for name, label in wish.items():
        if name in have:
            found += _of_label(name, have[name], label, renamed)
        else:
            found += _new_label(name, label)
    return found


def _new_label(name: str, label: dict[str, Any]) -> list[Step]:
    attributes = ", ".join(label["attributes"])
    return [Step("add", name, detail=label["type"] + (f" with {attributes}" if attributes else ""))]


def _of_label(
    name: str, have: dict[str, Any], wish: dict[str, Any], renamed: Mapping[str, str]
) -> Iterator[Step]:
    if fixed := _fixed(have, wish):
        yield Step("remake", name, detail=fixed)
        return
    for key in ("type", "color"):
        if key in wish and have[key] != wish[key]:
            yield Step("change", name, detail=f"{key} {have[key]} -> {wish[key]}")
    old = dict(have["attributes"])
    for attribute, value in wish["attributes"].items():
        old_name = renamed.get(f"{name}/{attribute}", "")
        if attribute not in old and old_name in old and old_name not in wish["attributes"]:
            yield Step("rename", name, attribute, renamed_from=old_name)
            old[attribute] = old.pop(old_name)
        if attribute not in old:
            yield Step("add", name, attribute, value["input"])
        else:
            yield from _of_attribute(name, attribute, old[attribute], value)
    yield from (Step("remove", name, gone) for gone in old if gone not in wish["attributes"])


def _fixed(have: dict[str, Any], wish: dict[str, Any]) -> str:
    """What of a label only a new one can have: CVAT turns nothing into a skeleton, nor redraws one."""
    if have["type"] != wish["type"] and SKELETON in (have["type"], wish["type"]):
        return f"type {have['type']}"
    return "the points and edges of a skeleton" if have.get("drawing") != wish.get("drawing") else ""


def _of_attribute(label: str, name: str, have: dict[str, Any], wish: dict[str, Any]) -> Iterator[Step]:
    fixed = [word for word in ("input", "mutable") if have[word] != wish[word]]
    if not fixed and have["values"] != wish["values"] and not _grows(have, wish):
        fixed = ["values"]
    if fixed:
        yield Step("remake", label, name, ", ".join(f"{word} {have[word]}" for word in fixed))
        return
    for word in ("values", "default"):
        if have[word] != wish[word]:
            yield Step("change", label, name, f"{word} {_shown(have[word])} -> {_shown(wish[word])}")


def _grows(have: dict[str, Any], wish: dict[str, Any]) -> bool:
    """CVAT takes further choices, and refuses to lose one or to change a range."""
    return have["input"] in CHOICES and set(have["values"]) <= set(wish["values"])


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value) or "(none)"
