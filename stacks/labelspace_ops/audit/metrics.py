"""How often the model is wrong: confusion counts and rates, by class, by condition and by group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import statistics
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.matching import NONE, Outcomes
from labelspace_ops.audit.resampling import Sample
from labelspace_ops.audit.results import AuditedRate, ConfusionMatrix, Fairness, GroupRates
from labelspace_ops.audit.vocabulary import MISSING
from labelspace_ops.labels.audit_choices import Choices

MOST_CROSSED = 10
"""Attributes that are crossed with each other; recorded ones first."""
TOO_FEW = "fewer than two groups are large enough to compare"
SCORED = ("auc", "average_precision")
"""Metrics that need the scores of predictions."""
MOST_MATRIX = 12
"""Classes up to which the confusion matrix of each group is listed."""
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """Of each group and class: true and false positives and negatives; shape (groups, classes)."""

    true_positive: Codes
    false_negative: Codes
    false_positive: Codes
    true_negative: Codes | None
    """None for boxes: nobody counts the places where nothing is."""


class Judged:
    """The outcomes with the conditions of their items."""

    def __init__(self, items: Items, outcomes: Outcomes) -> None:
        self.items, self.outcomes = items, outcomes
        self.truth, self.predicted, self.item = outcomes.truth, outcomes.predicted, outcomes.item
        self.real = self.truth != NONE
        self.wrong = self.truth != self.predicted
        self.cluster = items.cluster[self.item] if len(self.item) else np.zeros(0, dtype=np.int64)

    @cached_property
    def first(self) -> Flags:
        """A row of each unit: of each image where it has several labels, else every row of an item."""
        if self.outcomes.kind != "labels":
            return np.asarray(self.real)
        flags = np.zeros(len(self.item), dtype=bool)
        flags[np.unique(self.items.image[self.item], return_index=True)[1]] = True
        return flags

    def codes(self, name: str) -> Codes:
        """The code of each row; where nothing is, that of its image when its items agree."""
        column = self.items.attributes[name].codes.astype(np.int64)
        found = column[self.item]
        if (~self.real).any():
            found = np.where(self.real, found, self._of_images(column)[self.items.image[self.item]])
        return found

    def _of_images(self, column: Codes) -> Codes:
        count = len(self.items.images)
        low, high = np.full(count, np.iinfo(np.int64).max), np.full(count, MISSING)
        np.minimum.at(low, self.items.image, column)
        np.maximum.at(high, self.items.image, column)
        return np.where(low == high, low, MISSING)

    def sample(self, metric: str, rows: Flags, code: int) -> Sample | None:
        """The outcomes of a class among rows; None where the model gave no scores for the metric."""
        scores = {
            "f1": np.zeros(len(self.item)), "average_precision": self.outcomes.sureness,
            "auc": None if self.outcomes.scores is None else self.outcomes.scores[:, code],
        }[metric]  # fmt: skip
        if scores is None:
            return None
        truth, called = self.truth == code, self.predicted == code
        used = rows & self.real if metric == "auc" else rows & (truth | called)
        return Sample(truth[used], called[used], scores[used], self.cluster[used])

    def counts(self, group: Codes, width: int) -> Counts:
        """The confusion of each class within each group; ``group`` MISSING rows are left out."""
        classes, known = len(self.items.classes), group != MISSING
        side = classes + 1

        def table(labels: Codes, rows: Flags) -> Codes:
            inside = np.minimum(labels[rows], classes)
            cells = np.bincount(group[rows] * side + inside, minlength=width * side)
            return cells.reshape(width, side)[:, :classes]

        hit = table(self.truth, known & self.real & ~self.wrong)
        positive = table(self.truth, known & self.real)
        called = table(self.predicted, known & (self.predicted != NONE))
        total = np.bincount(group[known & self.first], minlength=width)[:, None]
        negative = None if self.outcomes.kind == "boxes" else total - positive - (called - hit)
        return Counts(hit, positive - hit, called - hit, negative)

    def trials(self, metric: str, code: int) -> tuple[Flags, Flags] | None:
        """Which rows a rate is over, and which of them count as successes; None where a metric is no rate."""
        truth, called = self.truth == code, self.predicted == code
        if self.outcomes.kind == "labels" and metric in {"false_positive_rate", "selection_rate"}:
            return self._image_trials(truth, called, metric)
        over = {
            "recall": truth, "false_negative_rate": truth, "precision": called,
            "false_positive_rate": self.real & ~truth, "selection_rate": self.real,
        }.get(metric)  # fmt: skip
        if over is None or (
            self.outcomes.kind == "boxes" and metric in {"false_positive_rate", "selection_rate"}
        ):
            return None
        return over, {"false_negative_rate": ~called, "precision": truth}.get(metric, called)

    def _image_trials(self, truth: Flags, called: Flags, metric: str) -> tuple[Flags, Flags]:
        image = self.items.image[self.item]
        has, says = (np.zeros(len(self.items.images), dtype=bool) for _ in range(2))
        has[image[truth]], says[image[called]] = True, True
        over = self.first & ~has[image] if metric == "false_positive_rate" else self.first
        return over, says[image]


def error_rates(judged: Judged, choices: Choices) -> list[AuditedRate]:
    """By each attribute, by class, by pairs of attributes; the worst first, those too small to judge last.

    ``wide_low`` and ``wide_high`` bound the rate when all crossings are looked at together (Bonferroni).
    """
    rows = [row for crossing in _crossings(judged.items) for row in _crossed(judged, crossing, choices)]
    fit = max(1, sum(not row.too_small for row in rows))
    whole = next((row.error_rate for row in rows if not row.by and row.label is None), 0.0)
    for row in rows:
        confidence = 1 - (1 - statistics.CONFIDENCE) / fit
        low, high = statistics.wilson(row.error_rate * row.effective, row.effective, confidence)
        differs = not row.too_small and (low > whole or high < whole)
        row.wide_low, row.wide_high, row.differs = low, high, differs
    return sorted(rows, key=lambda row: (row.too_small, -row.error_rate, -row.n))


def _crossings(items: Items) -> Iterator[tuple[tuple[str, ...], bool]]:
    yield (), False
    yield (), True
    for name in items.attributes:
        yield (name,), False
        yield (name,), True
    for pair in combinations((items.recorded() or list(items.attributes))[:MOST_CROSSED], 2):
        yield pair, False


def _crossed(
    judged: Judged, crossing: tuple[tuple[str, ...], bool], choices: Choices
) -> Iterator[AuditedRate]:
    names, by_class = crossing
    items, columns = judged.items, [judged.codes(name) for name in names]
    known = (
        judged.real & np.all([column != MISSING for column in columns], axis=0) if columns else judged.real
    )
    sides = [max(len(items.attributes[name].values), 1) for name in names]
    sides += [len(items.classes)] if by_class else []
    parts = [column[known] for column in columns] + ([judged.truth[known]] if by_class else [])
    cell = (
        np.ravel_multi_index(parts, sides)
        if parts and known.any()
        else np.zeros(int(known.sum()), dtype=np.int64)
    )
    wrong = judged.wrong[known]
    used, cell = np.unique(cell, return_inverse=True)
    counts, errors = np.bincount(cell), np.bincount(cell[wrong], minlength=len(used))
    effective = effective_counts(cell, wrong, judged.cluster[known], len(used))
    for index, code in enumerate(used):
        place = np.unravel_index(code, sides) if sides else ()
        by = {name: items.attributes[name].values[value] for name, value in zip(names, place, strict=False)}
        label = items.classes[place[-1]] if by_class else None
        count, wrongly = int(counts[index]), int(errors[index])
        rate, independent = wrongly / count, float(effective[index])
        ends = statistics.wilson(rate * independent, independent)
        yield AuditedRate(by, label, count, wrongly, rate, independent, *ends, count < choices.min_group)


def effective_counts(group: Codes, success: Flags, cluster: Codes, width: int) -> NDArray[np.float64]:
    """How many independent items tell as much of each group's rate as its items, clustered as they are.

    The count over the design effect: the variance between clusters over that of independent items.
    """
    counts = np.bincount(group, minlength=width).astype(np.float64)
    share = np.divide(
        np.bincount(group[success], minlength=width), counts, out=np.zeros(width), where=counts > 0
    )
    pair, place = np.unique(cluster * width + group, return_inverse=True)
    if len(pair) == len(group):
        return counts
    sums = np.bincount(place, weights=success - share[group])
    between = np.bincount(pair % width, weights=sums**2, minlength=width)
    clusters = np.bincount(pair % width, minlength=width)
    between = np.asarray(between * (clusters / np.maximum(clusters - 1, 1)))
    nominal = counts * share * (1 - share)
    # a rate of 0 or 1 has no variance to compare: it counts its clusters
    design = np.divide(between, nominal, out=counts / np.maximum(clusters, 1), where=nominal > 0)
    effective: NDArray[np.float64] = counts / np.maximum(design, 1.0)
    return effective


def by_group(judged: Judged, names: list[str], choices: Choices) -> list[Fairness]:
    """Of each attribute and class: the rates of each group that is large enough, and how far they differ.

    Demographic parity is the difference of selection rates; equalized odds the larger one of the differences
    of true and of false positive rates (Hardt, Price and Srebro 2016). A rate needs ``min_group`` of what
    it is a rate of: true positives need positives.
    """
    return [row for name in names for row in _of_attribute(judged, name, choices)]


def _of_attribute(judged: Judged, name: str, choices: Choices) -> Iterator[Fairness]:
    values, codes = judged.items.attributes[name].values, judged.codes(name)
    width = max(len(values), 1)
    sizes = np.bincount(codes[(codes != MISSING) & judged.first], minlength=width)
    counts = judged.counts(codes, width)
    fit = [value for value in range(len(values)) if sizes[value] >= choices.min_group]
    too_small = [values[value] for value in np.flatnonzero((sizes > 0) & (sizes < choices.min_group))]
    for code, label in enumerate(judged.items.classes):
        if len(fit) < 2:
            yield Fairness(
                name, label, too_small, {}, why="fewer than two groups are large enough to compare"
            )
            continue
        groups = {}
        for value in fit:
            one = groups[values[value]] = rates(counts, value, code, int(sizes[value]), choices.min_group)
            one.auc, one.average_precision = (
                _scored(judged, metric, codes == value, code, choices) for metric in SCORED
            )
        yield Fairness(name, label, too_small, groups, *_differences(list(groups.values())))


def rates(counts: Counts, group: int, code: int, total: int, least: int) -> GroupRates:
    """The confusion matrix of a class within a group, and the rates that enough items are there for."""
    hit, missed, wrong = (
        int(one[group, code]) for one in (counts.true_positive, counts.false_negative, counts.false_positive)
    )
    rest = None if counts.true_negative is None else int(counts.true_negative[group, code])

    def rate(part: int, whole: int | None) -> float | None:
        return part / whole if whole is not None and whole >= least else None

    positive, called = hit + missed, hit + wrong
    negative = None if rest is None else wrong + rest
    return GroupRates(
        total, hit, missed, wrong, rest, rate(called, None if rest is None else total), rate(hit, positive),
        rate(missed, positive), rate(wrong, negative), rate(hit, called),
        2 * hit / (positive + called) if min(positive, called) >= least else None,
    )  # fmt: skip


def _differences(groups: list[GroupRates]) -> tuple[float | None, float | None, float | None]:
    """Of demographic parity the difference and the ratio, and that of equalized odds."""
    selected = _known([one.selection_rate for one in groups])
    spreads = [
        max(known) - min(known) if known else None
        for known in (
            _known([one.true_positive_rate for one in groups]),
            _known([one.false_positive_rate for one in groups]),
        )
    ]
    odds = _known(spreads)
    if not selected:
        return None, None, max(odds, default=None)
    ratio = min(selected) / max(selected) if max(selected) else None
    return max(selected) - min(selected), ratio, max(odds, default=None)


def _known(values: list[float | None]) -> list[float]:
    """The values; none when one of them is unknown."""
    return [] if None in values else [one for one in values if one is not None]


def _scored(judged: Judged, metric: str, rows: Flags, code: int, choices: Choices) -> float | None:
    """A metric of scores, where enough positives (and for AUC negatives) are there."""
    sample = judged.sample(metric, rows, code) if metric in choices.metrics else None
    if sample is None or not enough(sample, metric, choices.min_group):
        return None
    return sample.value(metric)


def enough(sample: Sample, metric: str, least: int) -> bool:
    """Whether a metric of so many items may be judged."""
    other = {"f1": sample.called, "auc": ~sample.truth, "average_precision": sample.truth}[metric]
    return bool(min(sample.truth.sum(), other.sum()) >= least)


def confusion(judged: Judged, names: list[str]) -> list[ConfusionMatrix]:
    """The confusion matrix of all items and of each group, of at most ``MOST_MATRIX`` classes."""
    classes = judged.items.classes
    if len(classes) > MOST_MATRIX:
        return []
    head = [*classes, *judged.outcomes.others, "nothing"]
    rows = [ConfusionMatrix({}, head, _matrix(judged, np.ones(len(judged.item), dtype=bool)))]
    for name in names:
        codes = judged.codes(name)
        for value in np.unique(codes[codes != MISSING]):
            by = {name: judged.items.attributes[name].values[value]}
            rows.append(ConfusionMatrix(by, head, _matrix(judged, codes == value)))
    return rows


def _matrix(judged: Judged, rows: Flags) -> dict[str, list[int]]:
    """Of each true class how often each class was predicted; ``nothing``: boxes that fit no object."""
    width = len(judged.items.classes) + len(judged.outcomes.others) + 1
    truth = np.where(judged.truth == NONE, len(judged.items.classes), judged.truth)[rows]
    said = np.where(judged.predicted == NONE, width - 1, judged.predicted)[rows]
    height = len(judged.items.classes) + 1
    cells = np.bincount(truth * width + said, minlength=height * width).reshape(height, width)
    return dict(zip([*judged.items.classes, "nothing"], cells.tolist(), strict=True))
