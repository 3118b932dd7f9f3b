"""What has to happen to labels, and what would lose annotations."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelspace_ops.labels import normalized, plan

KIND = {"input": "select", "values": ["van", "bus"], "default": "van", "mutable": False}
DOORS = {"input": "number", "values": ["0", "6", "1"], "default": "0", "mutable": False}
HAVE: normalized.Labels = {
    "car": {"type": "rectangle", "color": "#112233", "attributes": {"kind": KIND, "doors": DOORS}},
    "night": {"type": "tag", "color": "#445566", "attributes": {}},
}


def changed(**car: Any) -> normalized.Labels:
    return {**copy.deepcopy(HAVE), "car": {**copy.deepcopy(HAVE["car"]), **car}}


def kind(**fields: Any) -> normalized.Labels:
    return changed(attributes={"kind": {**KIND, **fields}, "doors": DOORS})


def without(*names: str) -> normalized.Labels:
    return {name: label for name, label in HAVE.items() if name not in names}


CASES: dict[str, tuple[normalized.Labels, dict[str, str], list[str]]] = {
    "nothing": (HAVE, {}, []),
    "colour left to CVAT": ({**HAVE, "night": {"type": "tag", "attributes": {}}}, {}, []),
    "colour": (changed(color="#000000"), {}, ["label car: color #112233 -> #000000"]),
    "type": (changed(type="polygon"), {}, ["label car: type rectangle -> polygon"]),
    "new label": ({**HAVE, "bus": HAVE["night"]}, {}, ["label bus: new, tag"]),
    "label gone": (without("night"), {}, ["label night: removed"]),
    "renamed": ({"auto": HAVE["car"], "night": HAVE["night"]}, {"auto": "car"},
                ["label auto: was car, what annotators said stays"]),
    "renamed long ago": (HAVE, {"car": "wagon"}, []),
    "not renamed, both are wanted": ({**HAVE, "auto": HAVE["night"]}, {"auto": "car"},
                                     ["label auto: new, tag"]),
    "new value": (kind(values=["van", "bus", "cab"]), {},
                  ["attribute kind of car: values van, bus -> van, bus, cab"]),
    "default": (kind(default="bus"), {}, ["attribute kind of car: default van -> bus"]),
    "value gone": (kind(values=["van"]), {}, ["attribute kind of car: removed and added anew, as CVAT cannot"
                                              " change values ['van', 'bus'] in place"]),
    "another input": (kind(input="radio"), {}, [
        "attribute kind of car: removed and added anew, as CVAT cannot change input select in place"]),
    "range": (changed(attributes={"kind": KIND, "doors": {**DOORS, "values": ["0", "9", "1"]}}), {},
              ["attribute doors of car: removed and added anew, as CVAT cannot change values"
               " ['0', '6', '1'] in place"]),
    "attribute gone": (changed(attributes={"kind": KIND}), {}, ["attribute doors of car: removed"]),
    "attribute renamed": (changed(attributes={"sort": KIND, "doors": DOORS}), {"car/sort": "kind"},
                          ["attribute sort of car: was kind, what annotators said stays"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_change_is_told(case: str) -> None:
    wish, renamed, said = CASES[case]
    assert [step.sentence for step in plan.make_plan(HAVE, wish, renamed)] == said


def test_what_loses_annotations_is_what_is_removed_or_made_anew() -> None:
    losing = {case for case, (wish, renamed, _) in CASES.items()
              if any(step.action in plan.LOSES for step in plan.make_plan(HAVE, wish, renamed))}  # fmt: skip
    assert losing == {"label gone", "value gone", "another input", "range", "attribute gone"}


names = st.sampled_from(["a", "b", "c"])
attributes = st.dictionaries(names, st.sampled_from([KIND, DOORS, {**KIND, "values": ["van", "cab"]}]))
labels = st.dictionaries(
    names,
    st.fixed_dictionaries(
        {"type": st.just("tag"), "color": st.sampled_from(["#000000", "#ffffff"]), "attributes": attributes}
    ),
)


@given(labels, labels)
def test_there_is_something_to_do_exactly_when_labels_differ(
    have: normalized.Labels, wish: normalized.Labels
) -> None:
    assert bool(plan.make_plan(have, wish, {})) == (have != wish)


@given(labels)
def test_the_order_of_a_file_comes_back(wish: normalized.Labels) -> None:
    shuffled = {name: wish[name] for name in sorted(wish, reverse=True)}
    again = normalized.ordered(shuffled, normalized.order(wish))
    assert list(again) == list(wish)
    assert [list(one["attributes"]) for one in again.values()] == [
        list(one["attributes"]) for one in wish.values()
    ]
