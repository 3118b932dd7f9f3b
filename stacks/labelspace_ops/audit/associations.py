"""Which conditions go together with which class, more than chance explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from labelspace_ops.audit import statistics
from labelspace_ops.audit.dependence import Attribute, Measured
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.results import AuditedPair
from labelspace_ops.audit.vocabulary import MISSING, Codes
from labelspace_ops.labels.audit_choices import Choices

NOTABLE_V = 0.1
NOTABLE_GAP = 0.1
"""The least V, or gap, of a suspicious pair: with many items any difference is significant."""
LEAST_SHOWN = 0.02
"""The least gap for which a finding names a single value; below it, only the attribute is named."""
NO_INTERVAL = "no interval: a count, observed or expected, is below 5, or there are fewer than 30 clusters"


def measure(items: Items, choices: Choices) -> list[AuditedPair]:
    """Compare every class with the other classes by every attribute; the strongest association is first.

    Holm's method adjusts the p-values of recorded attributes and of measured conditions separately. With two
    classes both rows state one finding: ``repeats`` of the weaker row names the other class.
    """
    found = [row for name in items.attributes for row in _of_attribute(items, name, choices)]
    for measured in (False, True):
        _adjust([row for row in found if (row.attribute in items.measured) is measured], choices)
    for row in found:
        row.sentence = _sentence(row) if row.suspicious else None
    return sorted(found, key=lambda row: (not row.suspicious, row.attribute in items.measured,
                                          -(row.cramers_v or 0.0)))  # fmt: skip


def _of_attribute(items: Items, name: str, choices: Choices) -> list[AuditedPair]:
    column = items.attributes[name]
    known = _known(items, column.codes)
    rng = np.random.default_rng(choices.seed)
    attribute = Attribute(column.codes[known], max(len(column.values), 1), items.cluster[known], rng)
    rows = [
        _one(items, name, code, attribute.measure(_outcome(items, known, code)))
        for code in range(len(items.classes))
    ]
    if len(rows) == 2 and not items.several_labels:
        weaker, stronger = sorted(rows, key=lambda row: largest(row)[1])
        weaker.repeats = stronger.label
    return rows


def _known(items: Items, codes: Codes) -> Any:
    """An index of the rows with a value: all items, or one of each image when images have several labels."""
    if items.several_labels:
        units = np.unique(items.image, return_index=True)[1]
        return units[codes[units] != MISSING]
    return codes != MISSING


def _outcome(items: Items, known: Any, code: int) -> Any:
    """Whether each unit belongs to the class."""
    if not items.several_labels:
        return items.label[known] == code
    has = np.zeros(len(items.images), dtype=bool)
    has[items.image[items.label == code]] = True
    return has[items.image[known]]


def _one(items: Items, name: str, code: int, measured: Measured) -> AuditedPair:
    values, counts, found = items.attributes[name].values, measured.table, measured.association
    row = AuditedPair(
        name, items.classes[code], name in items.measured,
        dict(zip(values, counts[0].tolist(), strict=False)),
        dict(zip(values, counts[1].tolist(), strict=False)),
    )  # fmt: skip
    if found is None:
        alone = len(items.classes) < 2
        return replace(row, why="only one class: nothing to compare with" if alone else measured.why)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return replace(
        row, **vars(found), gap=float(np.abs(shares[0] - shares[1]).max()),
        why=NO_INTERVAL if found.ci_low is None else None,
    )  # fmt: skip


def _adjust(rows: list[AuditedPair], choices: Choices) -> None:
    tested = [row for row in rows if row.p_value is not None]
    once = [row for row in tested if row.repeats is None]
    adjusted = dict(zip(map(_key, once), statistics.holm([row.p_value or 0.0 for row in once]), strict=True))
    for row in tested:
        row.p_adjusted = adjusted[row.attribute, row.repeats or row.label]
        notable = (row.cramers_v or 0.0) >= NOTABLE_V or row.gap >= NOTABLE_GAP
        row.suspicious = bool(row.p_adjusted < choices.alpha and notable)


def _key(row: AuditedPair) -> tuple[str, str]:
    return row.attribute, row.label


def largest(row: AuditedPair) -> tuple[str, float, float]:
    """The value whose share differs most: its name, its share in the class, and that in other classes."""
    of_class, of_rest = max(sum(row.counts.values()), 1), max(sum(row.rest.values()), 1)
    shares = [(value, count / of_class, row.rest[value] / of_rest) for value, count in row.counts.items()]
    return max(shares, key=lambda one: (one[1] - one[2], one[0]), default=("", 0.0, 0.0))


def _sentence(row: AuditedPair) -> str:
    """The finding in words, such as "95 % of class A is outdoor"."""
    value, share, rest = largest(row)
    if share - rest < LEAST_SHOWN:
        return (
            f"{row.attribute} differs between class {row.label} and the other classes, spread over"
            f" {sum(1 for count in row.counts.values() if count)} values"
        )
    return (
        f"{percent(share)} of class {row.label} is {_named(row.attribute, value)}, "
        f"but {percent(rest)} of the other classes"
    )


def _named(attribute: str, value: str) -> str:
    plain = value in {"true", "false", "yes", "no"}
    return f"{attribute}: {value}" if plain else f"{value} ({attribute})"


def percent(share: float) -> str:
    """A share in percent; only shares of exactly 0 and 1 are written as 0 % and 100 %."""
    number = share * 100
    digits = 1 if 99 < number < 100 or 0 < number < 1 else 0
    shown = f"{number:.{digits}f}"
    return "more than 99.9 %" if shown == "100.0" else "less than 0.1 %" if shown == "0.0" else f"{shown} %"
