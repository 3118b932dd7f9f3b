"""The steps from one set of labels to another, and which of them lose annotations."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelspace_ops.labels import normalized, plan

KIND: normalized.NormalAttribute = {
    "input": "select",
    "values": ["van", "bus"],
    "default": "van",
    "mutable": False,
}
DOORS: normalized.NormalAttribute = {
    "input": "number",
    "values": ["0", "6", "1"],
    "default": "0",
    "mutable": False,
}
HAVE: normalized.Labels = {
    "car": {"type": "rectangle", "color": "#112233", "attributes": {"kind": KIND, "doors": DOORS}},
    "night": {"type": "tag", "color": "#445566", "attributes": {}},
}


def changed(**car: Any) -> normalized.Labels:
    label: Any = {**copy.deepcopy(HAVE["car"]), **car}
    return {**copy.deepcopy(HAVE), "car": label}


def kind(**fields: Any) -> normalized.Labels:
    return changed(attributes={"kind": {**KIND, **fields}, "doors": DOORS})


def without(*names: str) -> normalized.Labels:
    return {name: label for name, label in HAVE.items() if name not in names}


CASES: dict[str, tuple[normalized.Labels, dict[str, str], list[str]]] = {
    "nothing": (HAVE, {}, []),
    "colour chosen by CVAT": ({**HAVE, "night": {"type": "tag", "attributes": {}}}, {}, []),
    "colour": (changed(color="#000000"), {}, ["label car: color #112233 -> #000000"]),
    "type": (changed(type="polygon"), {}, ["label car: type rectangle -> polygon"]),
    "new label": ({**HAVE, "bus": HAVE["night"]}, {}, ["label bus: new, tag"]),
    "label removed": (without("night"), {}, ["label night: removed"]),
    "renamed": ({"auto": HAVE["car"], "night": HAVE["night"]}, {"auto": "car"},
                ["label auto: renamed from car, its annotations stay"]),
    "renamed long ago": (HAVE, {"car": "wagon"}, []),
    "not renamed, both exist": ({**HAVE, "auto": HAVE["night"]}, {"auto": "car"},
                                     ["label auto: new, tag"]),
    "new value": (kind(values=["van", "bus", "cab"]), {},
                  ["attribute kind of car: values van, bus -> van, bus, cab"]),
    "default": (kind(default="bus"), {}, ["attribute kind of car: default van -> bus"]),
    "value removed": (kind(values=["van"]), {},
                      ["attribute kind of car: removed and added again, as CVAT cannot change values"
                       " ['van', 'bus'] in place"]),
    "another input": (kind(input="radio"), {}, [
        "attribute kind of car: removed and added again, as CVAT cannot change input select in place"]),
    "range": (changed(attributes={"kind": KIND, "doors": {**DOORS, "values": ["0", "9", "1"]}}), {},
              ["attribute doors of car: removed and added again, as CVAT cannot change values"
               " ['0', '6', '1'] in place"]),
    "attribute removed": (changed(attributes={"kind": KIND}), {}, ["attribute doors of car: removed"]),
    "attribute renamed": (changed(attributes={"sort": KIND, "doors": DOORS}), {"car/sort": "kind"},
                          ["attribute sort of car: renamed from kind, its annotations stay"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_change_has_a_sentence(case: str) -> None:
    target, renamed, sentences = CASES[case]
    assert [step.sentence for step in plan.make_plan(HAVE, target, renamed)] == sentences


def test_only_removed_and_remade_parts_lose_annotations() -> None:
    plans = {case: plan.make_plan(HAVE, target, renamed) for case, (target, renamed, _) in CASES.items()}
    losing = {case for case, steps in plans.items() if any(step.action in plan.LOSES for step in steps)}
    assert losing == {"label removed", "value removed", "another input", "range", "attribute removed"}


names = st.sampled_from(["a", "b", "c"])
attributes = st.dictionaries(names, st.sampled_from([KIND, DOORS, {**KIND, "values": ["van", "cab"]}]))
labels = st.dictionaries(
    names,
    st.fixed_dictionaries(
        {"type": st.just("tag"), "color": st.sampled_from(["#000000", "#ffffff"]), "attributes": attributes}
    ),
)


@given(labels, labels)
def test_a_plan_has_steps_exactly_when_labels_differ(
    present: normalized.Labels, target: normalized.Labels
) -> None:
    assert bool(plan.make_plan(present, target, {})) == (present != target)


@given(labels)
def test_the_order_of_the_file_is_restored(target: normalized.Labels) -> None:
    shuffled = {name: target[name] for name in sorted(target, reverse=True)}
    again = normalized.ordered(shuffled, normalized.order(target))
    assert list(again) == list(target)
    assert [list(one["attributes"]) for one in again.values()] == [
        list(one["attributes"]) for one in target.values()
    ]
