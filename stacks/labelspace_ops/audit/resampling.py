"""F1, AUC and average precision, with intervals and tests by resampling clusters.

A bootstrap of whole clusters (Davison and Hinkley, Bootstrap Methods, 1997, 3.8) gives the covariance of the
groups' values. Wald's statistic tests whether all groups are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from labelspace_ops.audit.statistics import CONFIDENCE, Numbers

DRAWS, LEAST_DRAWS, MOST_WORK = 400, 100, 4e7
"""The number of draws of a test; fewer when draws times rows exceed ``MOST_WORK``."""
LEAST_CLUSTERS = 10
"""The least number of clusters for an interval."""
RECALLS = np.linspace(0, 1, 101)
"""The recalls at which COCO's evaluation reads the precision (pycocotools, ``Params.recThrs``)."""
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """The outcomes of one class in one group."""

    truth: Flags
    """Whether the true class of each row is the class."""
    called: Flags
    """Whether the predicted class of each row is the class."""
    score: Numbers
    """The score of each row; nan where nothing was predicted."""
    cluster: Codes

    def metric(self, name: str) -> Callable[[Numbers], float]:
        """The metric as a function of a weight per row; nan where it is not defined."""
        return {"f1": self._f1, "auc": self._auc, "average_precision": self._average_precision}[name]()

    def value(self, name: str) -> float:
        """The metric of the sample with equal weights."""
        return self.metric(name)(np.ones(len(self.truth)))

    def _f1(self) -> Callable[[Numbers], float]:
        hit = (self.truth & self.called).astype(np.float64)
        sides = self.truth.astype(np.float64) + self.called
        return lambda weights: _ratio(2 * float(weights @ hit), float(weights @ sides))

    def _auc(self) -> Callable[[Numbers], float]:
        """The share of pairs in which the positive scores above the negative; ties count half."""
        _, place = np.unique(self.score, return_inverse=True)

        def area(weights: Numbers) -> float:
            positive = np.bincount(place, weights * self.truth)
            negative = np.bincount(place, weights * ~self.truth)
            below = np.cumsum(negative) - negative / 2
            return _ratio(float(positive @ below), float(positive.sum() * negative.sum()))

        return area

    def _average_precision(self) -> Callable[[Numbers], float]:
        """COCO's average precision: the mean interpolated precision at 101 recalls; missed objects count."""
        order = np.flatnonzero(self.called)[np.argsort(-self.score[self.called], kind="stable")]
        hit = self.truth[order]

        def area(weights: Numbers) -> float:
            found, called = np.cumsum(weights[order] * hit), np.cumsum(weights[order])
            positives = float(weights @ self.truth)
            if not positives or not len(order):
                return 0.0 if positives else np.nan
            precision = found / np.maximum(called, 1e-12)
            best = np.maximum.accumulate(precision[::-1])[::-1]
            place = np.searchsorted(found / positives, RECALLS - 1e-12)
            return float(np.append(best, 0.0)[np.minimum(place, len(best))].mean())

        return area


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


@dataclass(frozen=True)
class Comparison:
    """A metric of several groups."""

    values: Numbers
    low: float | None
    """The interval of the largest value minus the smallest; it holds for every pair (Bonferroni)."""
    high: float | None
    p_value: float | None
    """The p-value of the test that all groups are alike."""
    test: str | None


def compare(samples: list[Sample], name: str, rng: np.random.Generator) -> Comparison:
    """The metric of each sample, and a test of whether the samples differ, by resampling clusters."""
    metrics = [sample.metric(name) for sample in samples]
    values = np.array([metric(np.ones(len(one.truth))) for metric, one in zip(metrics, samples, strict=True)])
    clusters = np.unique(np.concatenate([sample.cluster for sample in samples]))
    if len(clusters) < LEAST_CLUSTERS or np.isnan(values).any():
        return Comparison(values, None, None, None, None)
    places = [np.searchsorted(clusters, sample.cluster) for sample in samples]
    rows = sum(map(len, places))
    drawn = np.empty((int(np.clip(MOST_WORK / rows, LEAST_DRAWS, DRAWS)), len(samples)))
    for number in range(len(drawn)):
        picked = rng.integers(0, len(clusters), len(clusters))
        weights = np.bincount(picked, minlength=len(clusters)).astype(np.float64)
        drawn[number] = [metric(weights[place]) for metric, place in zip(metrics, places, strict=True)]
    covariance = np.cov(drawn[~np.isnan(drawn).any(axis=1)].T)
    # a group without any error has no spread in the draws: an item more or less is the least
    floor = np.array([1.0 / max(int(sample.truth.sum()), 1) ** 2 for sample in samples])
    np.fill_diagonal(covariance, np.maximum(np.diag(covariance), floor))
    return _tested(values, covariance, f"bootstrap of {len(clusters):,} clusters, {len(drawn)} draws")


def _tested(values: Numbers, covariance: Numbers, test: str) -> Comparison:
    low, high = int(values.argmin()), int(values.argmax())
    contrasts = np.delete(np.eye(len(values)), 0, axis=0) - np.eye(len(values))[0]
    apart = contrasts @ values
    statistic = float(apart @ np.linalg.pinv(contrasts @ covariance @ contrasts.T) @ apart)
    pairs = len(values) * (len(values) - 1) / 2
    quantile = float(special.ndtri(1 - (1 - CONFIDENCE) / (2 * pairs)))
    variance = covariance[low, low] + covariance[high, high] - 2 * covariance[low, high]
    half, difference = quantile * float(np.sqrt(max(variance, 0.0))), float(values[high] - values[low])
    return Comparison(
        values, max(-1.0, difference - half), min(1.0, difference + half),
        float(special.chdtrc(len(apart), statistic)), test,
    )  # fmt: skip
