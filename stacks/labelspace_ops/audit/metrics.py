"""Error rates and confusion counts of a model, by class, by condition and by group."""

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
"""The most attributes that are crossed with each other; recorded ones come first."""
TOO_FEW = "fewer than two groups are large enough to compare"
OF_CALLS = {"precision", "f1", "average_precision"}
"""Metrics that count false positives."""
LEAST_KNOWN = 0.8
"""The least share of false positives of known group, relative to that of true positives, for ``OF_CALLS``."""
SCORED = ("auc", "average_precision")
"""Metrics that need the scores of predictions."""
MOST_MATRIX = 12
"""The most classes for which confusion matrices are listed."""
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives of each group and class; shape (groups, classes)."""

    true_positive: Codes
    false_negative: Codes
    false_positive: Codes
    true_negative: Codes | None
    """None for boxes, which have no true negatives."""


class Evaluation:
    """The outcomes with the conditions of their items."""

    def __init__(self, items: Items, outcomes: Outcomes) -> None:
        self.items, self.outcomes = items, outcomes
        self.truth, self.predicted, self.item = outcomes.truth, outcomes.predicted, outcomes.item
        self.real = self.truth != NONE
        self.wrong = self.truth != self.predicted
        self.cluster = (
            items.cluster.astype(np.int64)[self.item] if len(self.item) else np.zeros(0, dtype=np.int64)
        )

    @cached_property
    def first(self) -> Flags:
        """Flags one row of each unit: of each image if images have several labels, else of each item."""
        if self.outcomes.kind != "labels":
            return np.asarray(self.real)
        flags = np.zeros(len(self.item), dtype=bool)
        flags[np.unique(self.items.image[self.item], return_index=True)[1]] = True
        return flags

    def codes(self, name: str) -> Codes:
        """The code of each row; without an item, the code on which the items of its image agree."""
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

    def defines(self, metric: str, name: str, code: int) -> bool:
        """Whether a metric of a class can be compared by an attribute.

        An attribute of persons alone has no value where a tree is called a person, so that precision would
        be 100 % in each of its groups.
        """
        if metric not in OF_CALLS:
            return True
        known, called = self.codes(name) != MISSING, self.predicted == code
        hit, false = called & (self.truth == code), called & (self.truth != code)
        of_hits = known[hit].mean() if hit.any() else 0.0
        return not false.any() or bool(known[false].mean() >= LEAST_KNOWN * of_hits)

    def undefined(self, name: str) -> list[str]:
        """The classes whose metrics that count false positives cannot be compared by an attribute."""
        return [
            label for code, label in enumerate(self.items.classes)
            if not self.defines("precision", name, code)
        ]  # fmt: skip

    def sample(self, metric: str, rows: Flags, code: int) -> Sample | None:
        """The outcomes of a class among the rows; None if the metric needs scores and there are none."""
        scores = {
            "f1": np.zeros(len(self.item)), "average_precision": self.outcomes.box_scores,
            "auc": None if self.outcomes.scores is None else self.outcomes.scores[:, code],
        }[metric]  # fmt: skip
        if scores is None:
            return None
        truth, called = self.truth == code, self.predicted == code
        used = rows & self.real if metric == "auc" else rows & (truth | called)
        return Sample(truth[used], called[used], scores[used], self.cluster[used])

    def counts(self, group: Codes, width: int) -> Counts:
        """The confusion counts of each class in each group; rows whose ``group`` is MISSING are left out."""
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
        """The rows that a rate is over, and the rows that are successes; None if it is not a rate."""
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


def error_rates(evaluation: Evaluation, choices: Choices) -> list[AuditedRate]:
    """The error rates by attribute, class and pairs of attributes; the worst first, too small groups last.

    ``wide_low`` and ``wide_high`` bound the rate when all crossings are looked at together (Bonferroni).
    """
    rows = [
        row for crossing in _crossings(evaluation.items) for row in _crossed(evaluation, crossing, choices)
    ]
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
    evaluation: Evaluation, crossing: tuple[tuple[str, ...], bool], choices: Choices
) -> Iterator[AuditedRate]:
    names, by_class = crossing
    items, columns = evaluation.items, [evaluation.codes(name) for name in names]
    known = (
        evaluation.real & np.all([column != MISSING for column in columns], axis=0)
        if columns
        else evaluation.real
    )
    sides = [max(len(items.attributes[name].values), 1) for name in names]
    sides += [len(items.classes)] if by_class else []
    parts = [column[known] for column in columns] + ([evaluation.truth[known]] if by_class else [])
    cell = (
        np.ravel_multi_index(parts, sides)
        if parts and known.any()
        else np.zeros(int(known.sum()), dtype=np.int64)
    )
    wrong = evaluation.wrong[known]
    used, cell = np.unique(cell, return_inverse=True)
    counts, errors = np.bincount(cell), np.bincount(cell[wrong], minlength=len(used))
    effective = effective_counts(cell, wrong, evaluation.cluster[known], len(used))
    for index, code in enumerate(used):
        place = np.unravel_index(code, sides) if sides else ()
        by = {name: items.attributes[name].values[value] for name, value in zip(names, place, strict=False)}
        label = items.classes[place[-1]] if by_class else None
        count, wrongly = int(counts[index]), int(errors[index])
        rate, independent = wrongly / count, float(effective[index])
        ends = statistics.wilson(rate * independent, independent)
        yield AuditedRate(by, label, count, wrongly, rate, independent, *ends, count < choices.min_group)


def effective_counts(group: Codes, success: Flags, cluster: Codes, width: int) -> NDArray[np.float64]:
    """The effective sample size of each group: as many independent items give a rate of the same variance.

    It is the count over the design effect: the variance between clusters over that of independent items.
    """
    counts = np.bincount(group, minlength=width).astype(np.float64)
    share = np.divide(
        np.bincount(group[success], minlength=width), counts, out=np.zeros(width), where=counts > 0
    )
    pair, place = np.unique(cluster * width + group, return_inverse=True)
    if len(pair) == len(group):
        return counts
    of_pair, clusters = pair % width, np.bincount(pair % width, minlength=width)
    sums = np.bincount(place, weights=success - share[group])
    leverage = np.minimum(np.bincount(place) / counts[of_pair], 1 - 1e-9)
    between = np.bincount(of_pair, weights=sums**2 / (1 - leverage), minlength=width)
    nominal = counts * share * (1 - share)
    # a rate of 0 or 1, or of one cluster, has no variance to compare: it counts its clusters
    comparable = (nominal > 0) & (clusters > 1)
    design = np.divide(between, nominal, out=counts / np.maximum(clusters, 1), where=comparable)
    effective: NDArray[np.float64] = counts / np.maximum(design, 1.0)
    return effective


def by_group(evaluation: Evaluation, names: list[str], choices: Choices) -> list[Fairness]:
    """The rates of each large enough group, and their differences, for each attribute and class.

    Demographic parity is the difference of selection rates; equalized odds is the larger one of the
    differences of true and of false positive rates (Hardt, Price and Srebro 2016). A rate needs ``min_group``
    items in its denominator: the true positive rate needs that many positives.
    """
    return [row for name in names for row in _of_attribute(evaluation, name, choices)]


def _of_attribute(evaluation: Evaluation, name: str, choices: Choices) -> Iterator[Fairness]:
    values, codes = evaluation.items.attributes[name].values, evaluation.codes(name)
    width, undefined = max(len(values), 1), set(evaluation.undefined(name))
    sizes = np.bincount(codes[(codes != MISSING) & evaluation.first], minlength=width)
    counts = evaluation.counts(codes, width)
    fit = [value for value in range(len(values)) if sizes[value] >= choices.min_group]
    too_small = [values[value] for value in np.flatnonzero((sizes > 0) & (sizes < choices.min_group))]
    for code, label in enumerate(evaluation.items.classes):
        if len(fit) < 2:
            yield Fairness(
                name, label, too_small, {}, why="fewer than two groups are large enough to compare"
            )
            continue
        groups = {}
        for value in fit:
            one = groups[values[value]] = rates(counts, value, code, int(sizes[value]), choices.min_group)
            one.auc, one.average_precision = (
                _scored(evaluation, metric, codes == value, code, choices) for metric in SCORED
            )
            if label in undefined:
                one.precision = one.f1 = one.average_precision = None
        yield Fairness(name, label, too_small, groups, *_differences(list(groups.values())))


def rates(counts: Counts, group: int, code: int, total: int, least: int) -> GroupRates:
    """The confusion matrix of a class in a group, and the rates with at least ``least`` items."""
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
    """The difference and the ratio of demographic parity, and the difference of equalized odds."""
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
    """The values; an empty list when one of them is unknown."""
    return [] if None in values else [one for one in values if one is not None]


def _scored(evaluation: Evaluation, metric: str, rows: Flags, code: int, choices: Choices) -> float | None:
    """The value of a metric of scores; None with too few positives (and for AUC, negatives)."""
    sample = evaluation.sample(metric, rows, code) if metric in choices.metrics else None
    if sample is None or not enough(sample, metric, choices.min_group):
        return None
    return sample.value(metric)


def enough(sample: Sample, metric: str, least: int) -> bool:
    """Whether the sample has enough items for the metric."""
    other = {"f1": sample.called, "auc": ~sample.truth, "average_precision": sample.truth}[metric]
    return bool(min(sample.truth.sum(), other.sum()) >= least)


def confusion(evaluation: Evaluation, names: list[str]) -> list[ConfusionMatrix]:
    """The confusion matrix of all items and of each group, of at most ``MOST_MATRIX`` classes."""
    classes = evaluation.items.classes
    if len(classes) > MOST_MATRIX:
        return []
    head = [*classes, *evaluation.outcomes.others, "nothing"]
    rows = [ConfusionMatrix({}, head, _matrix(evaluation, np.ones(len(evaluation.item), dtype=bool)))]
    for name in names:
        codes = evaluation.codes(name)
        for value in np.unique(codes[codes != MISSING]):
            by = {name: evaluation.items.attributes[name].values[value]}
            rows.append(ConfusionMatrix(by, head, _matrix(evaluation, codes == value)))
    return rows


def _matrix(evaluation: Evaluation, rows: Flags) -> dict[str, list[int]]:
    """How often each class was predicted for each true class; ``nothing``: boxes that fit no object."""
    width = len(evaluation.items.classes) + len(evaluation.outcomes.others) + 1
    truth = np.where(evaluation.truth == NONE, len(evaluation.items.classes), evaluation.truth)[rows]
    said = np.where(evaluation.predicted == NONE, width - 1, evaluation.predicted)[rows]
    height = len(evaluation.items.classes) + 1
    cells = np.bincount(truth * width + said, minlength=height * width).reshape(height, width)
    return dict(zip([*evaluation.items.classes, "nothing"], cells.tolist(), strict=True))
