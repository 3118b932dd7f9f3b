"""Objects of one image are no independent samples: the tests keep their level and find what is planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from statsmodels.regression.linear_model import OLS

from labelspace_ops.audit import dependence, statistics
from labelspace_ops.audit.dependence import Attribute
from labelspace_ops.audit.metrics import effective_counts

SEEDS, IMAGES = 200, 60


def simulated(seed: int, objects: int, *, of_image: bool, effect: float = 0.0) -> bool:
    """Whether any of three classes is found to depend on light, in images with a mix of classes each."""
    draws = np.random.default_rng(seed)
    mixes = draws.dirichlet(np.ones(3), size=IMAGES)
    image = np.repeat(np.arange(IMAGES), objects)
    label = (draws.random(len(image))[:, None] > mixes.cumsum(axis=1)[image]).sum(axis=1)
    day = 0.5 + effect * (mixes[:, 0] - 1 / 3) if of_image else draws.beta(1, 1, size=IMAGES)
    light = draws.random(IMAGES) < day if of_image else draws.random(len(image)) < day[image]
    codes = light[image] if of_image else light
    attribute = Attribute(codes.astype(np.int64), 2, image, np.random.default_rng(0))
    found = [attribute.measure(label == code).association for code in range(3)]
    return min(statistics.holm([one.p_value for one in found if one is not None]), default=1.0) < 0.05


@pytest.mark.parametrize("of_image", [True, False])
@pytest.mark.parametrize("objects", [1, 3, 12])
def test_false_findings_keep_their_level_with_objects_of_one_image_alike(
    objects: int, of_image: bool
) -> None:
    false = sum(simulated(seed, objects, of_image=of_image) for seed in range(SEEDS))
    assert false <= 0.06 * SEEDS


def test_a_planted_effect_is_found_in_most_runs() -> None:
    found = sum(simulated(seed, 12, of_image=True, effect=1.4) for seed in range(SEEDS))
    assert found >= 0.75 * SEEDS


def test_one_object_an_image_is_the_test_of_independent_items() -> None:
    draws = np.random.default_rng(4)
    codes, outcome = draws.integers(0, 3, 300), draws.random(300) < 0.3
    alone = Attribute(codes, 3, np.arange(300), draws).measure(outcome)
    assert alone.association is not None
    p_value, test = statistics.p_of(alone.table, draws)
    assert (alone.association.p_value, alone.association.test) == (p_value, test)


def test_the_robust_chi_square_is_statsmodels_clustered_score_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meat of the sandwich at the null is the same as of a regression with clustered errors."""
    draws = np.random.default_rng(5)
    image = np.repeat(np.arange(400), 3)
    codes = draws.integers(0, 2, len(image))
    outcome = draws.random(len(image)) < 0.3 + 0.1 * draws.random(400)[image]
    monkeypatch.setattr(dependence, "MOST_DRAWN", 0)
    found = Attribute(codes, 2, image, draws).measure(outcome).association
    assert found is not None
    design = codes - codes.mean()
    fit = OLS(outcome - outcome.mean(), design[:, None]).fit()
    score = np.bincount(image, weights=design * (outcome - outcome.mean()))
    statistic = score.sum() ** 2 / (score**2).sum()
    assert found.p_value == pytest.approx(float(special.chdtrc(1, statistic)), abs=1e-9)
    wald = fit.get_robustcov_results("cluster", groups=image, use_correction=False)
    assert float(wald.tvalues[0] ** 2) == pytest.approx(statistic, rel=0.05)


def test_a_single_video_has_no_independent_samples() -> None:
    found = Attribute(np.array([0, 1, 0, 1]), 2, np.zeros(4, dtype=np.int64), np.random.default_rng(0))
    measured = found.measure(np.array([True, False, True, False]))
    assert measured.association is None
    assert measured.why == "a single video or cluster: no independent samples to compare"


def test_the_interval_of_v_of_clustered_items_keeps_its_level() -> None:
    """V is that of the population of images: a large sample of them gives its true value."""

    def sample(images: int, seed: int) -> Attribute:
        draws = np.random.default_rng(seed)
        image = np.repeat(np.arange(images), 6)
        mix, day = draws.beta(2, 2, size=images), draws.random(images) < 0.5
        mix = np.where(day, mix**0.6, mix)
        made = Attribute(day[image].astype(np.int64), 2, image, draws)
        made.outcome = draws.random(len(image)) < mix[image]  # type: ignore[attr-defined]
        return made

    large = sample(200_000, 0)
    truth = np.sqrt(statistics.chi_square(large.measure(large.outcome).table)[0] / 1_200_000)  # type: ignore[attr-defined]
    hits = []
    for seed in range(1, 201):
        one = sample(150, seed)
        found = one.measure(one.outcome).association  # type: ignore[attr-defined]
        assert found is not None
        assert found.ci_low is not None
        assert found.ci_high is not None
        hits.append(found.ci_low <= truth <= found.ci_high)
    assert 0.91 <= np.mean(hits) <= 0.985


@pytest.mark.parametrize("mixed", [0.0, 0.5])
@pytest.mark.parametrize("images", [30, 4500])
def test_an_image_with_half_of_the_objects_makes_no_finding(images: int, mixed: float) -> None:
    """It moves the means towards itself: without a correction 40 % of such data sets had a finding."""
    found = 0
    for seed in range(40):
        draws = np.random.default_rng(seed)
        sizes = np.full(images, 3)
        sizes[0] = 3 * images
        cluster = np.repeat(np.arange(images), sizes)
        codes = draws.integers(0, 2, images)[cluster]
        codes = np.where(draws.random(len(codes)) < mixed, draws.integers(0, 2, len(codes)), codes)
        outcome = draws.random(len(codes)) < draws.beta(0.3, 0.7, images)[cluster]
        measured = Attribute(codes, 2, cluster, np.random.default_rng(seed + 1000)).measure(outcome)
        found += measured.association is not None and measured.association.p_value < 0.05
    assert found <= 5


def test_a_group_of_one_image_counts_as_one_sample() -> None:
    success = np.arange(60) % 3 == 0
    group, cluster = np.repeat([0, 1], [40, 20]), np.repeat([0, 1, 2], [40, 10, 10])
    effective = effective_counts(group, success, cluster, 2)
    assert effective[0] == pytest.approx(1)
    assert effective[1] > 1
