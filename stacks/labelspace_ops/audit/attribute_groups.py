"""Groups the attributes of labels: a name on several labels is one attribute only when the values agree.

Without that rule, every export whose labels all have an attribute ``type`` yields meaningless findings, such
as "52 % of class car is sedan, 0 % of the others".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from labelspace_ops.audit.vocabulary import (
    CATEGORICAL,
    MISSING,
    UNKNOWN,
    Codes,
    Declared,
    Ignored,
    Numbers,
    Vocabulary,
)
from labelspace_ops.labels.audit_choices import AUDIT_LABEL

Part = tuple[str, str]
"""A label and the name of one of its attributes."""
ALIKE_SHARE = 0.5
"""The least share of common values at which two labels of a format without schema share an attribute."""
NUMERIC_VALUES = 10
"""In a format without types, an attribute with more different values than this, all numbers, is a number."""


@dataclass(frozen=True)
class Group:
    """One attribute of one or more labels."""

    values: list[str]
    codes: dict[Part, Codes]
    """The group's code for each code of a label; the last entry is for MISSING."""


def group(
    vocabularies: Mapping[Part, Vocabulary],
    declared: Mapping[Part, Declared],
    wanted: set[str],
    *,
    shared: bool = False,
) -> tuple[dict[str, Group], dict[str, str], list[str]]:
    """The attributes that are counted, by name, the ignored ones with the reason, and notes.

    With ``shared``, a name is one attribute for all labels.
    """
    notes = []
    members: dict[str, list[Part]] = defaultdict(list)
    passed_over: dict[str, str] = {}
    for part in {**dict.fromkeys(declared), **dict.fromkeys(vocabularies)}:
        why = _why_not(vocabularies.get(part), declared.get(part), _is_wanted(part, wanted))
        if why:
            passed_over.setdefault(part[1], why)
        else:
            members[part[1]].append(part)
    groups: dict[str, Group] = {}
    for name, parts in members.items():
        guessed = not any(declared[part].values for part in parts if part in declared)
        merged = [parts] if shared else _merged(parts, vocabularies, declared)
        if guessed and len(merged) > 1:
            notes.append(
                f"attribute {name}: its labels use different values, so it is read as {len(merged)}"
                " attributes, not compared between them; if it is one, export as CVAT for images 1.1,"
                " with the schema"
            )
        for one in merged:
            groups[name if len(merged) == 1 else f"{'+'.join(label for label, _ in one)}.{name}"] = _union(
                one, vocabularies
            )
    return groups, {name: why for name, why in passed_over.items() if name not in members}, notes


def base_name(name: str, labels: list[str]) -> str:
    """The name of an attribute without the prefix of its labels."""
    for label in labels:
        for start in (f"{label}.", f"{label}+"):
            if name.startswith(start):
                return base_name(name.removeprefix(start), labels)
    return name


def _is_wanted(part: Part, wanted: set[str]) -> bool:
    return part[1] in wanted or any(one.endswith(f".{part[1]}") for one in wanted)


def _why_not(vocabulary: Vocabulary | None, declared: Declared | None, wanted: bool) -> str | None:
    """Why an attribute of a label is not counted; None when it is counted."""
    if isinstance(vocabulary, Ignored) or (vocabulary is None and declared and not wanted and
                                           declared.input_type not in {"", *CATEGORICAL}):  # fmt: skip
        return declared.input_type if declared and declared.input_type else "free text"
    if vocabulary is None:
        return None
    if len(vocabulary) >= vocabulary.most:
        return f"{vocabulary.most} different values or more"
    if isinstance(vocabulary, Numbers):
        return None
    typed = declared is not None and declared.input_type
    if not typed and not wanted and len(vocabulary) > NUMERIC_VALUES and all(map(is_number, vocabulary)):
        return "number"
    return None


def is_number(value: str) -> bool:
    """Whether a value is written as a number."""
    try:
        float(value)
    except ValueError:
        return False
    return True


def _merged(
    parts: list[Part], vocabularies: Mapping[Part, Vocabulary], declared: Mapping[Part, Declared]
) -> list[list[Part]]:
    """The labels that share the attribute: their values in the schema agree, else their used values."""
    groups: list[list[Part]] = []
    for part in sorted(parts, key=lambda one: -len(vocabularies.get(one, ()))):
        for one in groups:
            if _same(one[0], part, vocabularies, declared):
                one.append(part)
                break
        else:
            groups.append([part])
    return groups


def _same(
    first: Part, second: Part, vocabularies: Mapping[Part, Vocabulary], declared: Mapping[Part, Declared]
) -> bool:
    if AUDIT_LABEL in (first[0], second[0]):
        return True  # it says of the image what an object's own attribute says of the object
    said = [_known(declared[part].values) if part in declared else set() for part in (first, second)]
    if all(said):
        return said[0] == said[1]
    used = [vocabularies.get(part) for part in (first, second)]
    if any(one is None or isinstance(one, Numbers) for one in used):
        return True
    one, two = (_known(vocabulary or ()) for vocabulary in used)
    common = len(one & two)
    return not one or not two or common == len(two) or common / len(one | two) >= ALIKE_SHARE


def _known(values: Iterable[str]) -> set[str]:
    return {value for value in values if value.strip().lower() not in UNKNOWN}


def _union(parts: list[Part], vocabularies: Mapping[Part, Vocabulary]) -> Group:
    values: dict[str, int] = {}
    codes: dict[Part, Codes] = {}
    for part in parts:
        own = [values.setdefault(value, len(values)) for value in vocabularies.get(part, ())]
        codes[part] = np.array([*own, MISSING], dtype=np.int16)
    return Group(list(values), codes)
