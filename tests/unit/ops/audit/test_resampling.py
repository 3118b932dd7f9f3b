"""F1, AUC and average precision of groups: their values, their test's level, and a planted difference."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from tests.unit.ops.audit.made import Image, Mark, xml

from labelspace_ops.audit import findings, resampling
from labelspace_ops.audit.resampling import Sample
from labelspace_ops.labels.audit_choices import Choices


def drawn(seed: int, images: int, *, per_image: int = 3, quality: float = 1.0) -> Sample:
    """Objects whose errors go together within an image."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(images), per_image) + 1000 * seed
    truth = rng.random(images * per_image) < 0.5
    hard = np.repeat(rng.normal(size=images), per_image)
    score = quality * truth + 0.7 * hard + 0.7 * rng.normal(size=len(truth))
    return Sample(truth, score > 0.5, score, cluster)


def test_the_values_are_scikit_learns() -> None:
    sample = drawn(1, 100)
    sample = Sample(sample.truth, sample.called, sample.score.round(1), sample.cluster)
    assert sample.value("auc") == pytest.approx(roc_auc_score(sample.truth, sample.score), abs=1e-9)
    assert sample.value("f1") == pytest.approx(f1_score(sample.truth, sample.called), abs=1e-9)


@pytest.mark.parametrize("name", ["f1", "auc", "average_precision"])
def test_drawing_a_cluster_twice_is_having_its_rows_twice(name: str) -> None:
    sample = drawn(2, 20)
    weights = np.random.default_rng(0).integers(0, 3, len(sample.truth)).astype(float)
    again = np.repeat(np.arange(len(weights)), weights.astype(int))
    doubled = Sample(sample.truth[again], sample.called[again], sample.score[again], sample.cluster[again])
    assert sample.metric(name)(weights) == pytest.approx(doubled.value(name), abs=1e-9)


def test_average_precision_by_hand() -> None:
    # sure to unsure: hit, miss, hit; a third object is found by none. Precision 1 to recall 1/3, then 2/3
    # to recall 2/3, then 0: at 34 and 33 of the 101 recalls
    truth, called = np.array([True, False, True, True]), np.array([True, True, True, False])
    sample = Sample(truth, called, np.array([0.9, 0.8, 0.7, np.nan]), np.arange(4))
    assert sample.value("average_precision") == pytest.approx((34 + 33 * 2 / 3) / 101, abs=1e-9)


@pytest.mark.parametrize("name", ["f1", "auc"])
def test_equal_groups_are_seldom_found_to_differ(name: str) -> None:
    false = 0
    for seed in range(100):
        groups = [drawn(3 * seed + group, 60) for group in range(3)]
        p_value = resampling.compare(groups, name, np.random.default_rng(seed)).p_value
        assert p_value is not None
        false += p_value < 0.05
    assert false <= 10


@pytest.mark.parametrize("name", ["f1", "auc", "average_precision"])
def test_a_planted_difference_is_found_and_lies_in_the_interval(name: str) -> None:
    groups = [drawn(5, 400, quality=2.0), drawn(6, 400, quality=0.5)]
    truth = [drawn(group, 20_000, quality=quality).value(name) for group, quality in ((7, 2.0), (8, 0.5))]
    found = resampling.compare(groups, name, np.random.default_rng(0))
    assert found.p_value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.p_value < 1e-6
    assert found.low <= truth[0] - truth[1] <= found.high


def test_few_clusters_give_values_and_no_test() -> None:
    found = resampling.compare([drawn(1, 4), drawn(2, 4)], "f1", np.random.default_rng(0))
    assert found.p_value is None
    assert len(found.values) == 2


def test_the_average_precision_of_each_group_comes_from_coco_results(tmp_path: Path) -> None:
    """By day every car is found; by night every second one, and a surer false box is on each image."""
    images, annotations, results = [], [], []
    for n in range(80):
        night = n % 2 == 1
        box = [10, 10, 40, 40]
        images.append({"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 100})
        light = {"light": "night" if night else "day"}
        annotations.append({"id": n + 1, "image_id": n, "category_id": 1, "bbox": box, "attributes": light})
        if not night or n % 4 == 1:
            results.append({"image_id": n, "category_id": 1, "bbox": box, "score": 0.5})
        if night:
            results.append({"image_id": n, "category_id": 1, "bbox": [60, 60, 20, 20], "score": 0.9})
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "car"}]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    (tmp_path / "p.json").write_text(json.dumps(results))
    chosen = Choices(protected=("light",))
    found = findings.audit_file(tmp_path / "a.json", chosen, tmp_path / "p.json").found
    [fairness] = [row for row in found["fairness"] if row["class"] == "car"]
    values = {group: one["average_precision"] for group, one in fairness["groups"].items()}
    # by night 40 false boxes come first: the best precision is 20 of 60, up to a recall of one half
    assert values == pytest.approx({"day": 1.0, "night": 51 / 101 / 3})
    [gap] = [row for row in found["gaps"] if row["metric"] == "average_precision"]
    assert (gap["worst"], gap["best"], gap["distinguishable"]) == ("night", "day", True)
    assert gap["sentence"].startswith(
        "light: the average precision of class car is 83.2 percentage points lower"
    )


def test_f1_and_auc_of_groups_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    images, lines = [], ["image,prediction,score"]
    for n in range(400):
        label, site = ("cat", "dog")[n % 2], "ab"[n // 2 % 2]
        sure = rng.normal(1.5 if site == "a" else 0.2)
        score = 1 / (1 + np.exp(-sure))
        images.append(Image(f"{n}.jpg", [Mark(label, kind="tag"), Mark("audit", {"site": site}, kind="tag")]))
        other = {"cat": "dog", "dog": "cat"}[label]
        lines += [f"{n}.jpg,{label},{score}", f"{n}.jpg,{other},{1 - score}"]
    (tmp_path / "a.xml").write_text(xml(images))
    (tmp_path / "p.csv").write_text("\n".join(lines))
    audit = findings.audit_file(tmp_path / "a.xml", Choices(protected=("site",)), tmp_path / "p.csv")
    rows = {(row["metric"], row["class"]): row for row in audit.found["gaps"]}
    for key in (("f1", "cat"), ("f1", "dog"), ("auc", "cat")):
        assert rows[key]["worst"] == "b"
        assert rows[key]["distinguishable"]
        assert rows[key]["ci_low"] > 0
