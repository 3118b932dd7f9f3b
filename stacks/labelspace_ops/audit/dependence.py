"""Tests whether an outcome depends on an attribute when items of one cluster depend on each other.

Objects of one image are not independent, so the tests count images (or videos) as samples. The statistic is
the sum over the attribute's values of (observed - expected)^2 divided by a variance that is estimated between
clusters (Liang and Zeger, Biometrika 73 (1986) 13). Its distribution comes from permuting the values of whole
clusters where the attribute is constant in each cluster, else from random signs of the clusters' deviations
(Wu, Ann. Stat. 14 (1986) 1261). With more than ``MOST_DRAWN`` clusters it is chi-square.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from labelspace_ops.audit import statistics
from labelspace_ops.audit.statistics import Association, Numbers

DRAWS = 1999
MOST_DRAWN = 4000
MOST_WORK = 4e9
"""The largest number of draws times clusters times values, for all outcomes of an attribute."""
LARGE_CLUSTER = 0.05
"""The share of all items from which on a cluster's own part in the means matters."""
FEW = 20
"""With fewer draws as extreme as the observed statistic, a fitted gamma distribution gives the tail."""
Flags = NDArray[np.bool_]
Codes = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Measured:
    """How strongly an outcome depends on an attribute."""

    table: statistics.Table
    """Counts: a row for the outcome, a row for the rest, a column per value."""
    association: Association | None
    why: str | None = None
    """The reason why there is no test."""


class Attribute:
    """The known codes of an attribute and the clusters of its items."""

    def __init__(self, codes: Codes, width: int, cluster: Codes, rng: np.random.Generator) -> None:
        self.width, self.total, self._rng = width, len(codes), rng
        self._cell = statistics.numbered(cluster)
        self.count = int(self._cell.max()) + 1 if len(cluster) else 0
        self.independent = self.count == len(codes)
        self._drawn: Numbers | None = None
        if self.independent:
            self._cell = codes.astype(np.int64)
        else:
            self._prepare(codes)
        self._of_value = np.bincount(codes, minlength=width)

    def _prepare(self, codes: Codes) -> None:
        self._sizes = np.bincount(self._cell, minlength=self.count)
        self._cell *= self.width
        self._cell += codes
        self._by_value = self._counted(self._cell)
        self.constant = bool(((self._by_value > 0).sum(axis=1) == 1).all())
        self._value = self._by_value.argmax(axis=1)

    def _counted(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Items by cluster and value; shape (clusters, values). All items are one cluster if independent."""
        clusters = 1 if self.independent else self.count
        return np.bincount(cells, minlength=clusters * self.width).reshape(clusters, self.width)

    def measure(self, outcome: Flags) -> Measured:
        """The dependence of an outcome of each item on the attribute."""
        seen = self._counted(self._cell[outcome])
        table = np.stack([seen.sum(axis=0), self._of_value - seen.sum(axis=0)])
        used = table[:, table.sum(axis=0) > 0]
        if used.shape[1] < 2:
            return Measured(table, None, "only one value: nothing to compare with")
        if (used.sum(axis=1) == 0).any():
            return Measured(table, None, "only the class, or only the others, have the attribute")
        if self.independent:
            return Measured(table, statistics.association(used, self._rng))
        if self.count < 2:
            return Measured(table, None, "a single video or cluster: no independent samples to compare")
        return Measured(table, self._clustered(seen, table))

    def _clustered(self, seen: NDArray[np.int64], table: statistics.Table) -> Association:
        deviations = self._deviations(seen)
        p_value, test = self._p_value(seen, deviations)
        used = table.sum(axis=0) > 0
        nominal = self._nominal(table)
        design = max(
            1.0,
            float((self._left_out(deviations) ** 2).sum(axis=0)[used] @ (1 / nominal[used]))
            / max(1, used.sum()),
        )
        moved = np.zeros(table.shape)
        moved[:, used] = statistics.influence(table[:, used])
        sums = seen @ (moved[0] - moved[1]) + self._by_value @ moved[1]
        spread = float((sums**2).sum()) / self.total**2 * self.count / (self.count - 1)
        low, high = statistics.interval(table[:, used], spread, design)
        if self.count < MOST_FEW_CLUSTERS:
            low = high = None
        return Association(statistics.cramers_v(table[:, used], design), low, high, p_value, test)

    def _deviations(self, seen: NDArray[np.int64]) -> Numbers:
        """Observed minus expected counts of the outcome by cluster and value; shape (clusters, values)."""
        share = seen.sum() / self.total
        values = self._of_value / self.total
        own = seen.sum(axis=1)
        deviations: Numbers = (
            seen - np.outer(own, values) - share * (self._by_value - np.outer(self._sizes, values))
        )
        return deviations

    def _left_out(self, deviations: Numbers) -> Numbers:
        """The deviations as if the largest clusters had no part in the means.

        A cluster with half of the items moves the means towards itself, so that its deviation is half as
        large and all others add up to the same (CR3; MacKinnon and White, J. Econom. 29 (1985) 305).
        """
        share = self._sizes / self.total
        left_out: Numbers = deviations / (1 - np.where(share > LARGE_CLUSTER, share, 0.0))[:, None]
        return left_out

    def _nominal(self, table: statistics.Table) -> Numbers:
        """The variance of the summed deviations if all items were independent."""
        count = table.sum()
        share, values = table[0].sum() / count, table.sum(axis=0) / count
        nominal: Numbers = np.maximum(count * share * (1 - share) * values * (1 - values), 1e-12)
        return nominal

    def _p_value(self, seen: NDArray[np.int64], deviations: Numbers) -> tuple[float, str]:
        if self.count > MOST_DRAWN or DRAWS * self.count * self.width > MOST_WORK:
            return self._by_chi_square(deviations), f"cluster-robust chi-square, {self.count:,} clusters"
        counted = deviations if self.constant else self._left_out(deviations)
        observed = _statistic(deviations.sum(axis=0), (counted**2).sum(axis=0))
        drawn = self._exchanged(seen) if self.constant else self._flipped(counted)
        name = "permutation" if self.constant else "sign-flip"
        return _tail(float(observed), drawn), f"{name} test of {self.count:,} clusters"

    def _by_chi_square(self, deviations: Numbers) -> float:
        """The p-value of the full quadratic form, which leaves out one of the values."""
        keep = np.flatnonzero(self._of_value)[:-1]
        total, counted = deviations[:, keep].sum(axis=0), self._left_out(deviations[:, keep])
        between = counted.T @ counted
        statistic = float(total @ np.linalg.pinv(between) @ total)
        return float(special.chdtrc(len(keep), statistic))

    def _exchanged(self, seen: NDArray[np.int64]) -> Numbers:
        """Draws of the statistic with permuted values of clusters; exact when clusters are exchangeable."""
        excess = seen.sum(axis=1) - seen.sum() / self.total * self._sizes
        parts = np.stack([excess, excess**2, self._sizes.astype(np.float64)], axis=1).astype(np.float32)
        total, whole = float((excess**2).sum()), float(self.total)
        if self._drawn is None:
            self._drawn = self._rng.permuted(np.tile(self._value.astype(np.int16), (DRAWS, 1)), axis=1)
        drawn = np.zeros(DRAWS)
        for value in range(self.width):
            sums = (self._drawn == value).astype(np.float32) @ parts
            share = sums[:, 2] / whole
            variance = sums[:, 1] * (1 - share) ** 2 + (total - sums[:, 1]) * share**2
            drawn += _ratio(sums[:, 0] ** 2, variance)
        return drawn

    def _flipped(self, deviations: Numbers) -> Numbers:
        """Draws of the statistic with random signs of the clusters' deviations."""
        if self._drawn is None:
            signs = self._rng.integers(0, 2, size=(DRAWS, self.count), dtype=np.int8)
            self._drawn = (2 * signs - 1).astype(np.float32)
        sums = self._drawn @ deviations.astype(np.float32)
        return _statistic(sums, (deviations**2).sum(axis=0))


MOST_FEW_CLUSTERS = 30
"""The least number of clusters for an interval of V; with fewer, its variance is too uncertain."""


def _statistic(total: Numbers, variance: Numbers) -> Numbers:
    summed: Numbers = _ratio(total**2, np.broadcast_to(variance, total.shape)).sum(axis=-1)
    return summed


def _ratio(numerator: Numbers, denominator: Numbers) -> Numbers:
    out = np.zeros(np.shape(numerator))
    np.divide(numerator, denominator, out=out, where=np.asarray(denominator) > 1e-9)
    return out


def _tail(observed: float, drawn: Numbers) -> float:
    """The share of draws at least as extreme; if they are few, the tail of a fitted gamma distribution."""
    extreme = int((drawn >= observed * (1 - 1e-6)).sum())
    share = (extreme + 1) / (len(drawn) + 1)
    mean, variance = float(drawn.mean()), float(drawn.var())
    if extreme >= FEW or variance <= 0:
        return share
    return min(share, float(special.gammaincc(mean**2 / variance, observed * mean / variance)))
