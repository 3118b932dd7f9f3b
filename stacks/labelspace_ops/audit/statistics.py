"""The statistics of the audit. Tables are 2 by k: a class and the rest, by the values of an attribute."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Table = NDArray[np.int64]
Numbers = NDArray[np.float64]
CONFIDENCE = 0.95
SMALL = 5.0
"""Expected counts below this call for an exact test (Cochran's rule)."""
MOST_TABLES = 200_000
RESAMPLES = 2000


@dataclass(frozen=True)
class Association:
    """How strongly a class and an attribute go together."""

    cramers_v: float
    ci_low: float
    ci_high: float
    p_value: float
    test: str


def association(table: Table, rng: np.random.Generator) -> Association | None:
    """Of a 2 by k table of counts; None when a row or all but one column is empty."""
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return None
    value = cramers_v(table)
    low, high = _interval(table, rng)
    p_value, test = p_of(table, rng)
    return Association(value, min(low, value), max(high, value), p_value, test)


def cramers_v(table: Table) -> float:
    """Bias-corrected: Bergsma, J. Korean Stat. Soc. 42 (2013) 323."""
    return float(_cramers_v(table[None], corrections=1)[0])


def _cramers_v(tables: Table, corrections: int) -> Numbers:
    """Of each table of a stack; subtracts the expectation under independence so many times."""
    count = tables[0].sum()
    rows, columns = tables.shape[1:]
    expected = tables.sum(axis=2, keepdims=True) * tables.sum(axis=1, keepdims=True) / count
    parts = np.divide((tables - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0)
    degrees = (rows - 1) * (columns - 1) / max(count - 1, 1)
    phi = np.maximum(0.0, parts.sum(axis=(1, 2)) / count - corrections * degrees)
    sides = [side - (side - 1) ** 2 / max(count - 1, 1) for side in (rows, columns)]
    smaller = min(sides) - 1
    return np.sqrt(phi / smaller) if smaller > 0 else np.zeros(len(tables))


def _interval(table: Table, rng: np.random.Generator) -> tuple[float, float]:
    """Percentile bootstrap; resamples carry noise twice, their own and the sample's: corrected twice."""
    drawn = rng.multinomial(int(table.sum()), (table / table.sum()).ravel(), size=RESAMPLES)
    values = _cramers_v(drawn.reshape(RESAMPLES, *table.shape), corrections=2)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def p_of(table: Table, rng: np.random.Generator) -> tuple[float, str]:
    """The p-value of independence and the test: chi-square, or Fisher's exact where counts are small."""
    result = stats.chi2_contingency(table, correction=False)
    if result.expected_freq.min() >= SMALL:
        return float(result.pvalue), "chi-square"
    if table.shape[1] == 2:
        return float(stats.fisher_exact(table).pvalue), "Fisher exact"
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
    """Every first row of a table with these margins."""
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
    """Adjusted so that all of them together are wrong no more often than the level (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    factors = len(p_values) - np.arange(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(np.asarray(p_values)[order] * factors))
    return [float(one) for one in adjusted]


def wilson(errors: int, count: int) -> tuple[float, float]:
    """Wilson's interval of a rate; of nothing, all that is possible."""
    if count == 0:
        return 0.0, 1.0
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    rate, spread = errors / count, z**2 / count
    middle = (rate + spread / 2) / (1 + spread)
    half = z * math.sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    low = 0.0 if errors == 0 else middle - half
    return low, 1.0 if errors == count else middle + half


def kappa(first: NDArray[np.int16], second: NDArray[np.int16]) -> float | None:
    """Cohen's kappa of two annotators; None when agreement by chance is certain."""
    values = np.unique(np.concatenate([first, second]))
    by_chance = sum(float(np.mean(first == value) * np.mean(second == value)) for value in values)
    return None if by_chance >= 1 else (float(np.mean(first == second)) - by_chance) / (1 - by_chance)


def effective_size(weights: Numbers) -> float:
    """How many unweighted items would tell as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
