"""The statistics agree with scipy and statsmodels and with tables computed by hand, keep their promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.stats.contingency import association as scipy_association
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from labelspace_ops.audit import statistics

TABLES = [[[30, 10], [12, 40]], [[100, 50, 7], [20, 90, 40]], [[1, 9, 3], [8, 2, 4]], [[5, 0], [0, 5]]]


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.mark.parametrize("table", TABLES)
def test_chi_square_and_uncorrected_v_are_scipys(table: list[list[int]]) -> None:
    counts = np.array(table)
    uncorrected = math.sqrt(statistics.chi_square(counts)[0] / counts.sum())
    assert uncorrected == pytest.approx(scipy_association(counts, method="cramer"), abs=1e-9)
    expected = stats.chi2_contingency(counts, correction=False)
    if expected.expected_freq.min() >= 5:
        p_value, test = statistics.p_of(counts, rng())
        assert test == "chi-square"
        assert p_value == pytest.approx(expected.pvalue, abs=1e-12)


def test_corrected_v_by_hand() -> None:
    # chi2 = 92 * (30*40 - 10*12)^2 / (40*52*42*50) = 24.567; phi2 - 1/91; over 1 - 1/91
    phi = (30 * 40 - 10 * 12) ** 2 / (40 * 52 * 42 * 50)
    by_hand = math.sqrt((phi - 1 / 91) / (1 - 1 / 91))
    assert statistics.cramers_v(np.array(TABLES[0])) == pytest.approx(by_hand, abs=1e-12)


def test_fisher_is_scipys_and_the_wider_one_agrees_with_its_narrow_case() -> None:
    small = np.array([[1, 9], [8, 2]])
    expected = stats.fisher_exact(small).pvalue
    p_value, test = statistics.p_of(small, rng())
    assert test == "Fisher exact"
    assert p_value == pytest.approx(expected, abs=1e-12)
    assert statistics.exact(small, rng())[0] == pytest.approx(expected, abs=1e-9)


def test_wide_fisher_by_hand_and_by_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    # margins 2,2 by 2,1,1: six pairs of items; the observed first row (2,0,0) and (0,1,1) have 1/6 each
    assert statistics.exact(np.array([[2, 0, 0], [0, 1, 1]]), rng())[0] == pytest.approx(2 / 6, abs=1e-12)
    table = np.array(TABLES[2])
    exactly = statistics.exact(table, rng())[0]
    monkeypatch.setattr(statistics, "MOST_TABLES", 0)
    sampled, test = statistics.exact(table, rng())
    assert test == "Fisher exact, sampled"
    assert sampled == pytest.approx(exactly, abs=0.01)


@pytest.mark.parametrize(("errors", "count"), [(0, 10), (3, 10), (10, 10), (17, 4000)])
def test_wilson_is_statsmodels(errors: int, count: int) -> None:
    expected = proportion_confint(errors, count, method="wilson")
    assert statistics.wilson(errors, count) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("table", [TABLES[2], [[3, 0, 1, 2], [0, 4, 2, 1]], [[2, 2, 2], [0, 1, 9]]])
def test_wide_fisher_is_the_sum_over_scipys_random_tables(table: list[list[int]]) -> None:
    counts = np.array(table)
    columns, first = counts.sum(axis=0), int(counts[0].sum())
    known = stats.random_table(counts.sum(axis=1), columns)
    ranges = [range(min(int(one), first) + 1) for one in columns]
    rows = [np.array(row) for row in itertools.product(*ranges) if sum(row) == first]
    masses = np.array([known.pmf(np.array([row, columns - row])) for row in rows])
    expected = masses[masses <= known.pmf(counts) * (1 + 1e-9)].sum()
    assert statistics.exact(counts, rng())[0] == pytest.approx(expected, abs=1e-9)


def test_corrected_v_of_a_wide_table_by_hand() -> None:
    # rows 20 and 20, columns 16, 12, 12: expected 8, 6, 6 twice; chi2 = 2 * (16/8 + 4/6 + 4/6) = 20/3
    phi = (20 / 3) / 40 - 2 / 39
    shorter = 2 - 1 / 39
    by_hand = math.sqrt(phi / (shorter - 1))
    assert statistics.cramers_v(np.array([[12, 4, 4], [4, 8, 8]])) == pytest.approx(by_hand, abs=1e-9)


def test_holm_is_statsmodels() -> None:
    p_values = [0.04, 0.001, 0.2, 0.03, 0.001, 0.9]
    assert statistics.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)
    assert statistics.holm([]) == []


def test_kappa_is_scikit_learns() -> None:
    first, second = rng().integers(0, 3, size=(2, 60)).astype(np.int16)
    assert statistics.kappa(first, second) == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)
    assert statistics.kappa(np.zeros(3, np.int16), np.zeros(3, np.int16)) is None


def test_effective_size_by_hand() -> None:
    assert statistics.effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6, abs=1e-12)


@pytest.mark.parametrize(
    "cells",
    [
        [[0.4, 0.1], [0.2, 0.3]],
        [[0.15, 0.1, 0.05, 0.1], [0.1, 0.1, 0.2, 0.2]],
    ],
)
def test_the_interval_of_v_covers_the_truth(cells: list[list[float]]) -> None:
    truth = np.array(cells)
    expected = truth.sum(axis=1, keepdims=True) * truth.sum(axis=0, keepdims=True)
    v = math.sqrt(((truth - expected) ** 2 / expected).sum())
    draws, runs = rng(), 200
    hits = 0
    for _ in range(runs):
        result = statistics.association(draws.multinomial(400, truth.ravel()).reshape(truth.shape), draws)
        assert result is not None
        assert result.ci_low is not None
        assert result.ci_high is not None
        hits += result.ci_low <= v <= result.ci_high
    assert 0.92 <= hits / runs <= 0.99


def test_the_interval_of_v_holds_nothing_when_there_is_nothing() -> None:
    draws, runs, hits = rng(), 200, 0
    for _ in range(runs):
        counts = draws.multinomial(300, [0.2, 0.1, 0.2, 0.2, 0.1, 0.2]).reshape(2, 3)
        result = statistics.association(counts, draws)
        assert result is not None
        hits += result.ci_low == 0
    assert hits / runs >= 0.93


def test_the_interval_of_a_rate_covers_the_truth() -> None:
    drawn = rng().binomial(60, 0.15, size=4000)
    hits = [low <= 0.15 <= high for low, high in (statistics.wilson(int(one), 60) for one in drawn)]
    assert 0.935 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize("count", [30, 100, 1000])
def test_the_interval_of_a_rate_covers_the_truth_on_average_over_rates(count: int) -> None:
    """Of one rate it swings about the level (Brown, Cai and DasGupta, Stat. Sci. 16 (2001) 101)."""
    rates = rng().uniform(0, 1, size=4000)
    intervals = [statistics.wilson(int(errors), count) for errors in rng().binomial(count, rates)]
    hits = [low <= rate <= high for rate, (low, high) in zip(rates, intervals, strict=True)]
    assert 0.94 <= np.mean(hits) <= 0.965


def planted(share: float, v: float, values: int) -> NDArray[np.float64]:
    """Cells of a 2 by k table with a class share and a Cramer's V."""
    weight = np.linspace(-1, 1, values)
    weight /= math.sqrt((weight**2).mean())
    of_class = share + v * math.sqrt(share * (1 - share)) * weight
    assert of_class.min() > 0
    assert of_class.max() < 1
    cells: NDArray[np.float64] = np.array([of_class, 1 - of_class]) / values
    return cells


@pytest.mark.parametrize(
    ("share", "v", "values", "count"),
    [
        (0.5, 0.1, 2, 600), (0.5, 0.7, 2, 600), (0.5, 0.9, 2, 600), (0.5, 0.97, 2, 3000), (0.1, 0.1, 2, 600),
        (0.1, 0.2, 2, 3000), (0.03, 0.05, 2, 3000), (0.03, 0.1, 2, 3000), (0.5, 0.4, 4, 600),
        (0.1, 0.1, 4, 3000), (0.5, 0.05, 4, 600), (0.03, 0.05, 4, 3000),
    ],
)  # fmt: skip
def test_the_interval_of_v_keeps_its_level_for_rare_classes_and_strong_effects(
    share: float, v: float, values: int, count: int
) -> None:
    draws, cells = rng(), planted(share, v, values)
    drawn = draws.multinomial(count, cells.ravel(), size=1000).reshape(-1, 2, values)
    given = [ends for ends in map(statistics.interval, drawn) if ends[0] is not None]
    hits = [low <= v <= high for low, high in given if low is not None and high is not None]
    assert len(given) >= 500
    assert 0.93 <= np.mean(hits) <= 0.97


def test_no_interval_of_v_where_it_would_not_keep_its_level() -> None:
    assert statistics.interval(np.array([[4, 96], [60, 340]])) == (None, None)
    assert statistics.interval(np.array([[6, 96], [60, 340]])) != (None, None)


def test_a_perfect_dependence_is_one_however_many_values() -> None:
    table = np.zeros((2, 998), dtype=np.int64)
    table[0, ::2] = table[1, 1::2] = 4
    assert statistics.cramers_v(table) == 1.0


@pytest.mark.parametrize(("first", "second"), [((30, 40), (10, 50)), ((0, 30), (5, 35)), ((12, 12), (3, 90))])
def test_newcombe_is_statsmodels(first: tuple[int, int], second: tuple[int, int]) -> None:
    expected = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    assert statistics.newcombe(first, second) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("groups", [[], [7], [3, 0, 3, 9, 1], [5, 10**12, 5, 0]])
def test_groups_are_numbered_in_their_order(groups: list[int]) -> None:
    given = np.array(groups, dtype=np.int64)
    assert statistics.numbered(given).tolist() == np.unique(given, return_inverse=True)[1].tolist()
