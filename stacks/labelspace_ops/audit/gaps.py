"""Differences between groups: each has an interval, an adjusted test and a check for a reversal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit import resampling, statistics
from labelspace_ops.audit.dependence import Attribute
from labelspace_ops.audit.matching import NONE
from labelspace_ops.audit.metrics import Codes, Evaluation, Flags, effective_counts, enough
from labelspace_ops.audit.results import AuditedGap, Reversal, Stratum
from labelspace_ops.audit.statistics import Numbers
from labelspace_ops.audit.vocabulary import MISSING
from labelspace_ops.labels.audit_choices import Choices

RATES = ("false_positive_rate", "false_negative_rate", "precision", "recall", "selection_rate")
DRAWN = ("f1", "auc", "average_precision")
"""Metrics that are not rates: they are compared by resampling clusters."""
WORSE_WHEN_LOW = {"precision", "recall", *DRAWN}
MOST_CLASSES = 50
"""The most classes whose rates are compared: those with the most items."""


@dataclass(frozen=True)
class Trial:
    """A rate that is compared between the groups of an attribute."""

    attribute: str
    metric: str
    label: str | None
    over: Flags
    success: Flags


def measure(evaluation: Evaluation, protected: list[str], choices: Choices) -> list[AuditedGap]:
    """Compare the error rate by every attribute, and metrics of each class by protected attributes."""
    rng = np.random.default_rng(choices.seed)
    rows = [_one(evaluation, trial, choices, rng) for trial in _trials(evaluation, protected, choices)]
    rows += _drawn(evaluation, protected, choices, rng)
    tested = [row for row in rows if row.p_value is not None]
    adjusted = statistics.holm([row.p_value or 0.0 for row in tested])
    for row, p in zip(tested, adjusted, strict=True):
        row.p_adjusted, row.distinguishable = p, bool(p < choices.alpha)
    for row in rows:
        row.sentence = _sentence(row)
    return rows


def _trials(evaluation: Evaluation, protected: list[str], choices: Choices) -> Iterator[Trial]:
    if "error" in choices.metrics:
        for name in evaluation.items.attributes:
            yield Trial(name, "error", None, evaluation.real, evaluation.wrong)
    classes = _classes(evaluation)
    complements = {"recall"} if "false_negative_rate" in choices.metrics else set()
    mirrored = _mirrored(evaluation)
    for name in protected:
        for metric in [one for one in RATES if one in choices.metrics and one not in complements]:
            for code in classes[:1] if mirrored and metric != "precision" else classes:
                found = evaluation.trials(metric, int(code))
                if found is not None and evaluation.defines(metric, name, int(code)):
                    yield Trial(name, metric, evaluation.items.classes[code], *found)


def _classes(evaluation: Evaluation) -> Codes:
    sizes = np.bincount(evaluation.items.label, minlength=len(evaluation.items.classes))
    return np.sort(np.argsort(-sizes, kind="stable")[:MOST_CLASSES])


def _drawn(
    evaluation: Evaluation, protected: list[str], choices: Choices, rng: np.random.Generator
) -> Iterator[AuditedGap]:
    """Compare F1, AUC and average precision of each class by protected attributes, where they are defined."""
    classes = _classes(evaluation)
    for name in protected:
        codes = evaluation.codes(name)
        for metric in (one for one in DRAWN if one in choices.metrics):
            for code in classes[:1] if metric == "auc" and len(evaluation.items.classes) == 2 else classes:
                sample = evaluation.sample(metric, evaluation.real, int(code))
                if sample is not None and evaluation.defines(metric, name, int(code)):
                    yield _of_samples(evaluation, (name, metric, int(code)), codes, choices, rng)


def _of_samples(
    evaluation: Evaluation,
    what: tuple[str, str, int],
    codes: Codes,
    choices: Choices,
    rng: np.random.Generator,
) -> AuditedGap:
    name, metric, code = what
    every = {
        value: evaluation.sample(metric, codes == place, code)
        for place, value in enumerate(evaluation.items.attributes[name].values)
    }
    used = {value: one for value, one in every.items() if one is not None and one.truth.any()}
    fit = {value: one for value, one in used.items() if enough(one, metric, choices.min_group)}
    too_small = [value for value in used if value not in fit]
    row = AuditedGap(name, metric, evaluation.items.classes[code], too_small)
    if len(fit) < 2:
        return row
    found = resampling.compare(list(fit.values()), metric, rng)
    row = _between(row, list(fit), found.values)
    if row.worst is not None:
        row.ci_low, row.ci_high, row.p_value, row.test = found.low, found.high, found.p_value, found.test
    return row


def _between(row: AuditedGap, names: list[str], values: Numbers) -> AuditedGap:
    """The row with the worst and the best group; both are None when all groups are alike."""
    low, high = int(values.argmin()), int(values.argmax())
    least, most = float(values[low]), float(values[high])
    if least == most:
        return replace(row, difference=0.0, ratio=1.0 if least else None)
    worst, best = (low, high) if row.metric in WORSE_WHEN_LOW else (high, low)
    return replace(row, worst=names[worst], best=names[best], difference=most - least, ratio=least / most)


def _mirrored(evaluation: Evaluation) -> bool:
    """Whether the rates of one of two classes determine those of the other: each item is predicted as one."""
    outcomes = evaluation.outcomes
    return (
        len(evaluation.items.classes) == 2 and outcomes.kind == "items" and not outcomes.others
        and bool((evaluation.predicted != NONE).all())
    )  # fmt: skip


def _one(evaluation: Evaluation, trial: Trial, choices: Choices, rng: np.random.Generator) -> AuditedGap:
    values, codes = evaluation.items.attributes[trial.attribute].values, evaluation.codes(trial.attribute)
    rows = np.flatnonzero(trial.over & (codes != MISSING))
    sizes = np.bincount(codes[rows], minlength=max(len(values), 1))
    too_small = [values[one] for one in np.flatnonzero((sizes > 0) & (sizes < choices.min_group))]
    row = AuditedGap(trial.attribute, trial.metric, trial.label, too_small)
    rows = rows[sizes[codes[rows]] >= choices.min_group]
    fit = np.unique(codes[rows])
    if len(fit) < 2:
        return row
    group = np.searchsorted(fit, codes[rows])
    success, cluster = trial.success[rows], evaluation.cluster[rows]
    row = _extremes(row, [values[one] for one in fit], group, success, cluster)
    tested = Attribute(group, len(fit), cluster, rng).measure(success).association
    if tested is not None:
        row.p_value, row.test = tested.p_value, tested.test
    row.reversal = _reversal(evaluation, trial, rows, row, choices, rng=rng)
    return row


def _extremes(row: AuditedGap, names: list[str], group: Codes, success: Flags, cluster: Codes) -> AuditedGap:
    """The row with the worst and the best group; its interval holds for every pair of groups (Bonferroni)."""
    counts = np.bincount(group, minlength=len(names))
    share = np.bincount(group[success], minlength=len(names)) / counts
    effective = effective_counts(group, success, cluster, len(names))
    row = _between(row, names, share)
    if row.worst is not None:
        low, high = int(share.argmin()), int(share.argmax())
        pairs = len(names) * (len(names) - 1) / 2
        row.ci_low, row.ci_high = statistics.newcombe(
            (share[high] * effective[high], effective[high]), (share[low] * effective[low], effective[low]),
            1 - (1 - statistics.CONFIDENCE) / pairs,
        )  # fmt: skip
    return row


def _reversal(
    evaluation: Evaluation,
    trial: Trial,
    rows: NDArray[Any],
    row: AuditedGap,
    choices: Choices,
    *,
    rng: np.random.Generator,
) -> Reversal | None:
    """An attribute within all values of which the difference has the opposite sign (Simpson 1951).

    The rate must depend on the attribute more than chance explains: otherwise signs turn round by chance.
    """
    if row.worst is None or row.best is None:
        return None
    values, codes = (
        evaluation.items.attributes[trial.attribute].values,
        evaluation.codes(trial.attribute)[rows],
    )
    sides = [codes == values.index(side) for side in (row.worst, row.best)]
    for name in evaluation.items.attributes:
        if name == trial.attribute:
            continue
        strata = _strata(evaluation.codes(name)[rows], sides, trial.success[rows], choices.min_group)
        sign = -1 if trial.metric in WORSE_WHEN_LOW else 1
        if len(strata) >= 2 and all(sign * (one - two) < 0 for _, one, two in strata) and (
            _depends(evaluation, name, rows, trial.success[rows], rng)
            < choices.alpha / (len(evaluation.items.attributes) - 1)
        ):  # fmt: skip
            within = evaluation.items.attributes[name].values
            return Reversal(name, [Stratum(within[code], one, two) for code, one, two in strata])
    return None


def _depends(
    evaluation: Evaluation, name: str, rows: NDArray[Any], success: Flags, rng: np.random.Generator
) -> float:
    """The p-value of the test that a rate depends on an attribute."""
    codes = evaluation.codes(name)[rows]
    known = codes != MISSING
    width = len(evaluation.items.attributes[name].values)
    attribute = Attribute(codes[known], width, evaluation.cluster[rows][known], rng)
    found = attribute.measure(success[known]).association
    return 1.0 if found is None else found.p_value


def _strata(codes: Codes, sides: list[Flags], success: Flags, least: int) -> list[tuple[int, float, float]]:
    """The rates of both groups for each value with enough items of both."""
    found = []
    for code in np.unique(codes[codes != MISSING]):
        inside = codes == code
        one, two = (success[inside & side] for side in sides)
        if min(len(one), len(two)) >= least:
            found.append((int(code), float(one.mean()), float(two.mean())))
    return found


def rate_name(metric: str, label: str | None) -> str:
    """The name of a metric in words."""
    shown = {"auc": "AUC", "f1": "F1"}.get(metric, metric.replace("_", " "))
    return "error rate" if metric == "error" else f"{shown} of class {label}"


def _sentence(row: AuditedGap) -> str:
    name, what = row.attribute, rate_name(row.metric, row.label)
    if row.difference is None:
        return f"{name}: fewer than two groups are large enough to compare the {what}"
    if row.worst is None:
        return f"{name}: the {what} is the same in all groups"
    points = f"{row.difference * 100:.1f} percentage points"
    span = "no interval: too few images"
    if row.ci_low is not None and row.ci_high is not None:
        span = f"95 % interval {row.ci_low * 100:.1f} to {row.ci_high * 100:.1f}"
    if not row.distinguishable:
        pair = f"{row.worst} and {row.best} differ by {points}, {span}"
        said = f"{name}: the groups are not distinguishable in the {what} ({pair})"
    elif row.metric == "error":
        said = f"{name}: {row.worst} is wrong {points} more often than {row.best} ({span})"
    else:
        side = "lower" if row.metric in WORSE_WHEN_LOW else "higher"
        said = f"{name}: the {what} is {points} {side} for {row.worst} than for {row.best} ({span})"
    if row.reversal:
        said += f"; but within each {row.reversal.attribute} it is the other way round: compare there"
    return said
