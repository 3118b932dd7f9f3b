"""The statistics of the audit. Tables are 2 by k: a class and the others, by the values of an attribute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Table = NDArray[np.int64]
Numbers = NDArray[np.float64]
MOST_SPREAD = 4
"""The highest number, as a multiple of the rows, up to which groups are numbered by counting."""
CONFIDENCE = 0.95
SMALL = 5.0
"""Expected counts below this call for an exact test (Cochran's rule)."""
MOST_TABLES = 200_000
MOST_EXACT = 5000.0
"""From this statistic on, the root of the noncentral chi-square variable is taken as normal."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Association:
    """The strength of the association of a class and an attribute."""

    cramers_v: float
    ci_low: float | None
    ci_high: float | None
    p_value: float
    test: str


def association(table: Table, rng: np.random.Generator) -> Association | None:
    """The association in a table of independent items; None when a row or all but one column is empty."""
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return None
    p_value, test = p_of(table, rng)
    low, high = interval(table)
    return Association(cramers_v(table), low, high, p_value, test)


def chi_square(table: Table) -> tuple[float, Numbers]:
    """Pearson's statistic without correction, and the expected counts."""
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    parts = np.divide((table - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    return float(parts.sum()), expected


def cramers_v(table: Table, design: float = 1.0) -> float:
    """Bias-corrected V (Bergsma, J. Korean Stat. Soc. 42 (2013) 323); ``design``: the design effect."""
    count = int(table.sum())
    if (table > 0).sum() == table.shape[1] and (table.sum(axis=1) > 0).all():
        return 1.0  # each value belongs to one side: the correction would deny a perfect dependence
    degrees = (table.shape[0] - 1) * (table.shape[1] - 1) / max(count - 1, 1)
    phi = max(0.0, chi_square(table)[0] / count - design * degrees)
    shorter = min(side - (side - 1) ** 2 / max(count - 1, 1) for side in table.shape) - 1
    return min(1.0, math.sqrt(phi / shorter)) if shorter > 0 else 0.0


def influence(table: Table) -> Numbers:
    """The influence of an item of each cell on chi-square over n; its mean over items is 0."""
    share = table / table.sum()
    rows, columns = share.sum(axis=1, keepdims=True), share.sum(axis=0, keepdims=True)
    ratio = share / (rows * columns)
    slope = 2 * ratio - (share * ratio).sum(axis=1, keepdims=True) / rows
    slope -= (share * ratio).sum(axis=0, keepdims=True) / columns
    moved: Numbers = slope - (share * slope).sum()
    return moved


def interval(
    table: Table, spread: float | None = None, design: float = 1.0
) -> tuple[float | None, float | None]:
    """The interval of V: the inverted noncentral chi-square distribution, scaled to the measured variance.

    ``spread`` is the variance of chi-square over n (by default of independent items), ``design`` the factor
    by which clusters inflate chi-square. None where a cell has fewer than ``SMALL`` observed or expected
    items: there the interval does not keep its level in simulation.
    """
    statistic, expected = chi_square(table)
    if min(expected.min(), table.min()) < SMALL:
        return None, None
    count, degrees = float(table.sum()), table.shape[1] - 1
    scaled = statistic / design
    if spread is None:
        spread = float((table / count * influence(table) ** 2).sum() / count)
    centre = math.sqrt(max(0.0, scaled - degrees))
    own = math.sqrt(max(spread, 0.0)) * count / design
    factor = min(3.0, max(0.2, own / (2 * centre))) if centre > 2 else 1.0
    tail = (1 - CONFIDENCE) / 2
    low, high = (math.sqrt(_noncentrality(scaled, degrees, p)) for p in (1 - tail, tail))
    ends = centre - (centre - low) * factor, centre + (high - centre) * factor
    low, high = (min(1.0, max(0.0, end) * math.sqrt(design / count)) for end in ends)
    return low, high


def _noncentrality(statistic: float, degrees: int, p: float) -> float:
    """The noncentrality at which a share ``p`` of the distribution is below the statistic; else 0."""
    if statistic > MOST_EXACT:
        return max(0.0, math.sqrt(statistic - degrees) - float(special.ndtri(p))) ** 2
    low, high = 0.0, 4 * statistic + 100
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if special.chndtr(statistic, degrees, middle) > p else (low, middle)
    return low


def p_of(table: Table, rng: np.random.Generator) -> tuple[float, str]:
    """The p-value and the name of the test of independence: chi-square, or Fisher's for small counts."""
    statistic, expected = chi_square(table)
    if expected.min() >= SMALL:
        return float(special.chdtrc(table.shape[1] - 1, statistic)), "chi-square"
    return exact(table, rng)


def exact(table: Table, rng: np.random.Generator) -> tuple[float, str]:
    """Fisher's exact test for 2 by k (Freeman and Halton): all tables of the same margins, or a sample."""
    columns, first = table.sum(axis=0), int(table[0].sum())
    observed = _log_weight(table[:1], columns)[0]
    if math.prod(int(min(one, first)) + 1 for one in columns[:-1]) <= MOST_TABLES:
        weights = _log_weight(_all_rows(columns, first), columns)
        as_rare = weights <= observed + 1e-9
        p = np.exp(special.logsumexp(weights[as_rare]) - special.logsumexp(weights))
        return min(1.0, float(p)), "Fisher exact"
    drawn = rng.multivariate_hypergeometric(columns, first, size=RESAMPLES * 5, method="marginals")
    as_rare = _log_weight(drawn, columns) <= observed + 1e-9
    return float((as_rare.sum() + 1) / (len(drawn) + 1)), "Fisher exact, sampled"


def _all_rows(columns: Table, first: int) -> Table:
    """All possible first rows of a table with these margins."""
    grids = np.meshgrid(*[np.arange(min(int(one), first) + 1) for one in columns[:-1]], indexing="ij")
    rows = np.stack([grid.ravel() for grid in grids], axis=1)
    last = first - rows.sum(axis=1)
    rows = np.column_stack([rows, last])
    possible: Table = rows[(last >= 0) & (last <= columns[-1])]
    return possible


def _log_weight(rows: Table, columns: Table) -> Numbers:
    """The logarithm of a first row's probability, up to a constant."""
    weights: Numbers = -(special.gammaln(rows + 1) + special.gammaln(columns - rows + 1)).sum(axis=1)
    return weights


def holm(p_values: list[float]) -> list[float]:
    """The p-values, adjusted so that their familywise error rate is the level (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    factors = len(p_values) - np.arange(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.asarray(p_values)[order] * factors))
    return [float(one) for one in adjusted]


def wilson(errors: float, count: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's interval of a rate; 0 to 1 without items."""
    if count <= 0:
        return 0.0, 1.0
    z = float(special.ndtri((1 + confidence) / 2))
    rate, spread = errors / count, z**2 / count
    middle = (rate + spread / 2) / (1 + spread)
    half = z * math.sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    low = 0.0 if errors == 0 else middle - half
    return low, 1.0 if errors == count else middle + half


def newcombe(
    first: tuple[float, float], second: tuple[float, float], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The interval of a difference of two rates, each given as successes and (effective) count.

    Newcombe, Stat. Med. 17 (1998) 873, method 10.
    """
    rates = [one[0] / one[1] for one in (first, second)]
    (low, high), (other_low, other_high) = (wilson(*one, confidence) for one in (first, second))
    difference = rates[0] - rates[1]
    return (
        difference - math.hypot(rates[0] - low, other_high - rates[1]),
        difference + math.hypot(high - rates[0], rates[1] - other_low),
    )


def kappa(first: NDArray[np.int16], second: NDArray[np.int16]) -> float | None:
    """Cohen's kappa of two annotators; None when agreement by chance is certain."""
    values = np.unique(np.concatenate([first, second]))
    by_chance = sum(float(np.mean(first == value) * np.mean(second == value)) for value in values)
    return None if by_chance >= 1 else (float(np.mean(first == second)) - by_chance) / (1 - by_chance)


def numbered(groups: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
    """Numbers from 0 without gaps for whole numbers from 0 on, in their order.

    The rows are not sorted unless the numbers are spread too wide to count.
    """
    if len(groups) and groups.max() > MOST_SPREAD * len(groups):
        places: NDArray[np.int64] = np.unique(groups, return_inverse=True)[1]
    else:
        places = (np.cumsum(np.bincount(groups) > 0) - 1)[groups]
    return places


def effective_size(weights: Numbers) -> float:
    """The effective sample size of weighted items (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
