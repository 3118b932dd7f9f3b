"""What the audit says of made annotations: planted accidents, independence, balance, errors, weights."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from pydantic import TypeAdapter
from sklearn.metrics import zero_one_loss
from tests.unit.ops.audit import exports

from labelspace_ops.audit import findings, weights
from labelspace_ops.audit.dataset import Builder
from labelspace_ops.audit.predictions import Prediction
from labelspace_ops.audit.results import AuditReport
from labelspace_ops.labels.audit_choices import Choices


def rows(count: int, night: dict[str, float], seed: int = 1) -> list[exports.Row]:
    draws = np.random.default_rng(seed)
    made = []
    for number in range(count):
        label = str(draws.choice(list(night)))
        light = "night" if draws.random() < night[label] else "day"
        made.append((f"{number:05}.jpg", label, {"light": light}))
    return made


def found(made: list[exports.Row], *, said: dict[str, str] | None = None, **choices: Any) -> dict[str, Any]:
    predictions = None if said is None else [Prediction(image, label) for image, label in said.items()]
    return findings.audit(exports.dataset(made), Choices(**choices), predictions).found


def test_a_planted_accident_is_found_and_said_plainly() -> None:
    made = [(f"{n:05}", "cat", {"light": "day" if n % 100 == 0 else "night"}) for n in range(300)]
    made += [(f"x{n:05}", "dog", {"light": "day" if n % 2 else "night"}) for n in range(300)]
    first = found(made, condition=("light",))["associations"][0]
    assert first["suspicious"]
    said = {row["sentence"] for row in found(made)["associations"]}
    assert "99 % of class cat is night (light), but 50 % of the other classes" in said


def test_a_rare_class_at_night_is_found() -> None:
    made = rows(4000, {"car": 0.5, "bus": 0.5}) + [(f"r{n}", "tram", {"light": "night"}) for n in range(40)]
    assert any(row["suspicious"] and row["class"] == "tram" for row in found(made)["associations"])


def test_independence_is_called_suspicious_no_more_often_than_the_level() -> None:
    runs = 100
    wrong = sum(
        any(row["suspicious"] for row in found(rows(120, dict.fromkeys("abc", 0.4), seed))["associations"])
        for seed in range(runs)
    )
    assert wrong <= 0.05 * runs + 2 * (0.05 * 0.95 * runs) ** 0.5


def test_many_attributes_of_skewed_classes_raise_no_false_alarm_beyond_the_level() -> None:
    """The level holds for all tests together, also where counts are too small for chi-square."""
    runs, wrong = 60, 0
    for seed in range(runs):
        draws = np.random.default_rng(seed)
        labels = draws.choice(list("abc"), size=90, p=[0.8, 0.15, 0.05])
        values = draws.choice(["x", "y", "z"], size=(90, 4), p=[0.7, 0.2, 0.1])
        made = [(f"{n}", str(labels[n]), {f"at{k}": str(values[n, k]) for k in range(4)}) for n in range(90)]
        wrong += any(row["suspicious"] for row in found(made)["associations"])
    assert wrong <= 0.05 * runs + 2 * (0.05 * 0.95 * runs) ** 0.5


def test_the_balanced_set_is_the_largest_with_equal_cells() -> None:
    made = rows(400, {"cat": 0.9, "dog": 0.3})
    counts = Counter((label, own["light"]) for _, label, own in made)
    one = found(made, condition=("light",))["balanced_set"]
    assert one["per_cell"] == min(counts.values())
    place = {name: (label, own["light"]) for name, label, own in made}
    assert set(Counter(place[name] for name in one["files"]).values()) == {one["per_cell"]}
    assert one["limited_by"] == [{"class": "cat", "light": "day", "available": one["per_cell"]}]
    assert one["collect_next"][0]["more"] == sorted(counts.values())[1] - one["per_cell"]


def test_the_balanced_set_depends_on_the_seed_not_on_the_order() -> None:
    made = rows(200, {"cat": 0.9, "dog": 0.3})
    assert found(made)["balanced_set"]["files"] == found(made[::-1])["balanced_set"]["files"]
    assert found(made)["balanced_set"]["files"] != found(made, seed=5)["balanced_set"]["files"]


def test_an_empty_cell_makes_an_empty_set_and_is_named() -> None:
    made = [("a", "cat", {"light": "day"}), ("b", "dog", {"light": "night"}), ("c", "dog", {"light": "day"})]
    one = found(made, condition=("light",))["balanced_set"]
    assert one["files"] == []
    assert one["limited_by"] == [{"class": "cat", "light": "night", "available": 0}]


def test_error_rates_by_hand_worst_first() -> None:
    made = [(f"n{n}", "cat", {"light": "night"}) for n in range(40)]
    made += [(f"d{n}", "dog", {"light": "day"}) for n in range(50)] + [("f", "dog", {"light": "fog"})]
    said = {name: label for name, label, _ in made}
    said |= {f"n{n}": "dog" for n in range(10)} | {"d0": "cat", "f": "cat"}
    result = found(made, said=said, condition=("light",))
    by = {(tuple(row["by"].items()), row["class"]): row for row in result["error_rates"]}
    night = by[((("light", "night"),), None)]
    assert (night["n"], night["errors"], night["error_rate"]) == (40, 10, 0.25)
    assert not night["too_small"]
    assert by[((("light", "fog"),), None)]["too_small"]
    assert by[((), "dog")]["errors"] == 2
    rates = [row["error_rate"] for row in result["error_rates"] if not row["too_small"]]
    assert rates == sorted(rates, reverse=True)
    gap = result["gaps"][0]
    assert (gap["worst"], gap["best"], gap["too_small"]) == ("night", "day", ["fog"])
    assert gap["difference"] == pytest.approx(0.25 - 0.02)
    assert gap["ratio"] == pytest.approx(0.02 / 0.25)


def test_pairs_of_attributes_are_crossed() -> None:
    made = [(f"{n}", "cat", {"light": "ab"[n % 2], "place": "xy"[n // 2 % 2]}) for n in range(8)]
    result = found(made, said={f"{n}": "cat" if n else "dog" for n in range(8)})
    pair = [row for row in result["error_rates"] if row["by"] == {"light": "a", "place": "x"}]
    assert [(row["n"], row["errors"]) for row in pair] == [(2, 1)]


def test_parity_and_odds_are_fairlearns() -> None:
    draws = np.random.default_rng(3)
    made = [
        (f"{n}", str(draws.choice(["doctor", "nurse"])), {"sex": str(draws.choice(["f", "m"]))})
        for n in range(300)
    ]
    said = {name: str(draws.choice(["doctor", "nurse"])) for name, _, _ in made}
    one = next(
        row for row in found(made, said=said, protected=("sex",))["fairness"] if row["class"] == "doctor"
    )
    truth = [int(label == "doctor") for _, label, _ in made]
    guess = [int(said[name] == "doctor") for name, _, _ in made]
    groups = [own["sex"] for _, _, own in made]
    parity = demographic_parity_difference(truth, guess, sensitive_features=groups)
    odds = equalized_odds_difference(truth, guess, sensitive_features=groups)
    frame = MetricFrame(metrics=selection_rate, y_true=truth, y_pred=guess, sensitive_features=groups)
    assert one["demographic_parity_difference"] == pytest.approx(parity, abs=1e-9)
    assert one["equalized_odds_difference"] == pytest.approx(odds, abs=1e-9)
    assert one["groups"]["f"]["selection_rate"] == pytest.approx(frame.by_group["f"], abs=1e-9)


def test_rates_by_group_ratios_and_gaps_are_fairlearns() -> None:
    draws = np.random.default_rng(8)
    made = [
        (f"{n}", str(draws.choice(["a", "b", "c"])), {"sex": str(draws.choice(["f", "m", "x"]))})
        for n in range(400)
    ]
    said = {name: label if draws.random() < 0.7 else "a" for name, label, _ in made}
    result = found(made, said=said, protected=("sex",))
    truth, groups = [label for _, label, _ in made], [own["sex"] for _, _, own in made]
    guess = [said[name] for name, _, _ in made]
    for one in result["fairness"]:
        real, called = ([int(label == one["class"]) for label in labels] for labels in (truth, guess))
        binary = {"y_true": real, "y_pred": called, "sensitive_features": groups}
        assert one["demographic_parity_ratio"] == pytest.approx(demographic_parity_ratio(**binary), abs=1e-9)
        for name, metric in (("true_positive_rate", true_positive_rate),
                             ("false_positive_rate", false_positive_rate), ("n", count)):  # fmt: skip
            by_group = MetricFrame(metrics=metric, **binary).by_group.to_dict()
            ours = {group: rates[name] for group, rates in one["groups"].items()}
            assert ours == pytest.approx(by_group, abs=1e-9)
    errors = MetricFrame(metrics=zero_one_loss, y_true=truth, y_pred=guess, sensitive_features=groups)
    [gap] = [row for row in result["gaps"] if row["metric"] == "error"]
    assert gap["difference"] == pytest.approx(errors.difference(), abs=1e-9)
    assert gap["ratio"] == pytest.approx(errors.ratio(), abs=1e-9)
    rates = {row["by"]["sex"]: row["error_rate"] for row in result["error_rates"]
             if row["by"] and row["class"] is None}  # fmt: skip
    assert rates == pytest.approx(errors.by_group.to_dict(), abs=1e-9)


def test_error_rates_crossed_are_pandas() -> None:
    draws = np.random.default_rng(9)
    made = [
        (f"{n}", str(draws.choice(["a", "b"])), {"sex": str(draws.choice(["f", "m"])),
                                                 "light": str(draws.choice(["day", "night"]))})
        for n in range(200)
    ]  # fmt: skip
    said = {name: str(draws.choice(["a", "b"])) for name, _, _ in made}
    table = pd.DataFrame([{**own, "class": label, "wrong": said[name] != label} for name, label, own in made])
    result = found(made, said=said)["error_rates"]
    for names in (["sex", "class"], ["light", "class"], ["sex", "light"]):
        for values, part in table.groupby(names)["wrong"]:
            wanted = dict(zip(names, values, strict=True))
            label = wanted.pop("class", None)
            [row] = [row for row in result if row["by"] == wanted and row["class"] == label]
            assert (row["n"], row["errors"]) == (len(part), part.sum())
            assert row["error_rate"] == pytest.approx(part.mean(), abs=1e-9)


def test_one_group_has_nobody_to_be_compared_with() -> None:
    made = [(f"{n}", "ab"[n % 2], {"sex": "f"}) for n in range(80)]
    result = found(made, said={name: "a" for name, _, _ in made}, protected=("sex",))
    assert {row["why"] for row in result["fairness"]} == {"fewer than two groups are large enough to compare"}
    assert [row["why"] for row in result["associations"]] == ["only one value: nothing to compare with"] * 2
    gap = result["gaps"][0]
    assert (gap["worst"], gap["difference"]) == (None, None)
    assert result["weighting"]["effective_sample_size"] == pytest.approx(80)


def test_items_that_lack_an_attribute_are_counted_and_left_out_of_its_tables() -> None:
    made = rows(100, {"a": 0.5, "b": 0.5}) + [(f"bare{n}", "a", {}) for n in range(7)]
    result = found(made, said={name: label for name, label, _ in made})
    assert (result["items"], result["attributes"]["light"]["carried"]) == (107, 100)
    table = result["associations"][0]
    assert sum(table["counts"].values()) + sum(table["rest"].values()) == 100
    whole = next(row for row in result["error_rates"] if not row["by"] and row["class"] is None)
    assert whole["n"] == 107
    assert sum(row["n"] for row in result["error_rates"] if row["by"] and row["class"] is None) == 100
    assert result["balanced_set"]["left_out"]["a condition unknown"] == 7


def test_weights_by_hand() -> None:
    # 12 items: doctors 6 m, 2 f; nurses 1 m, 3 f. A weight is n(sex) n(class) / (12 n(cell))
    cells = {("doctor", "m"): 6, ("doctor", "f"): 2, ("nurse", "m"): 1, ("nurse", "f"): 3}
    made = [
        (f"{label} {sex} {n}", label, {"sex": sex})
        for (label, sex), many in cells.items() for n in range(many)
    ]  # fmt: skip
    audit = findings.audit(exports.dataset(made), Choices(protected=("sex",)))
    by_hand = {("doctor", "m"): 7 * 8 / 72, ("doctor", "f"): 5 * 8 / 24, ("nurse", "m"): 7 * 4 / 12,
               ("nurse", "f"): 5 * 4 / 36}  # fmt: skip
    expected = [by_hand[label, own["sex"]] for _, label, own in made]
    assert audit.weights == pytest.approx(expected, abs=1e-9)
    size = sum(expected) ** 2 / sum(one**2 for one in expected)
    assert audit.found["weighting"]["effective_sample_size"] == pytest.approx(size, abs=1e-9)


def test_weights_make_group_and_class_independent(tmp_path: Path) -> None:
    made = [(f"{n}", "doctor" if n % 5 else "nurse", {"sex": "m" if n % 3 else "f"}) for n in range(90)]
    made += [("u", "nurse", {"sex": "unknown"})]
    audit = findings.audit(exports.dataset(made), Choices(protected=("sex",)))
    findings.write(audit, tmp_path / "deep" / "report")
    with (tmp_path / "deep" / "report" / weights.FILE).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert float(next(line for line in lines if line["image"] == "u")["weight"]) == 1.0
    totals: Counter[tuple[str, str]] = Counter()
    for line in lines[:-1]:
        totals[line["sex"], line["class"]] += float(line["weight"])  # type: ignore[assignment]
    ratios = [totals[sex, "doctor"] / totals[sex, "nurse"] for sex in "fm"]
    assert ratios[0] == pytest.approx(ratios[1])
    assert 0 < audit.found["weighting"]["effective_sample_size"] <= 91


def test_unknown_values_are_counted_but_not_compared() -> None:
    made = [*rows(100, {"a": 0.5, "b": 0.5}), ("u", "a", {"light": "unknown"})]
    result = found(made)
    assert result["attributes"]["light"]["unknown"] == 1
    assert (
        sum(result["associations"][0]["counts"].values()) + sum(result["associations"][0]["rest"].values())
        == 100
    )


def test_a_copy_that_nobody_annotated_hides_nothing() -> None:
    builder = Builder()
    for labels in ((), ("cat",), ("dog",)):
        builder.add_image("a.png")
        for label in labels:
            builder.add(label, (), [], tag=True)
    result = findings.audit(builder.build("test"), Choices()).found
    assert (result["images"], result["classes"], result["unlabelled_images"]) == (1, {"cat": 1}, 0)


def test_an_image_annotated_twice_counts_once_and_tells_of_agreement() -> None:
    made = [("a", "cat", {"light": "day"}), ("b", "cat", {"light": "night"})]
    again = [("a", "cat", {"light": "day"}), ("b", "cat", {"light": "day"})]
    result = found([*made, *again])
    assert result["items"] == 2
    assert result["attributes"]["light"]["agreement"] == {"items": 2, "agreement": 0.5, "kappa": 0.0}


@pytest.mark.parametrize(
    "made",
    [[], [("a", "cat", {})], [("a", "cat", {"light": "day"}), ("b", "cat", {"light": "night"})]],
    ids=["nothing", "no attribute", "one class"],
)
def test_little_data_gives_honest_results(made: list[exports.Row], tmp_path: Path) -> None:
    audit = findings.audit(exports.dataset(made), Choices(), [Prediction("a", "cat")])
    findings.write(audit, tmp_path)
    assert audit.found["items"] == len(made)
    assert not any(row["suspicious"] for row in audit.found["associations"])
    assert audit.found["notes"]


PROMISED = {
    "associations": {"attribute", "class", "cramers_v", "ci_low", "ci_high", "p_value", "p_adjusted",
                     "suspicious"},
    "error_rates": {"by", "class", "n", "errors", "error_rate", "ci_low", "ci_high", "too_small"},
}  # fmt: skip


@pytest.mark.parametrize("predicted", [True, False])
def test_audit_json_has_the_documented_shape(predicted: bool) -> None:
    made = rows(80, {"a": 0.5, "b": 0.5})
    said = {name: label for name, label, _ in made} if predicted else None
    shape = TypeAdapter(AuditReport).validate_json(json.dumps(found(made, said=said, protected=("light",))))
    assert shape.items == 80
    assert (shape.gaps is not None) == predicted


def test_audit_json_holds_what_is_promised(tmp_path: Path) -> None:
    made = rows(80, {"a": 0.5, "b": 0.5})
    audit = findings.audit(
        exports.dataset(made), Choices(), [Prediction(name, label) for name, label, _ in made]
    )
    findings.write(audit, tmp_path)
    written = json.loads((tmp_path / "audit.json").read_text())
    assert written.keys() >= {"items", "classes", "attributes", *PROMISED, "balanced_set", "weights"}
    assert written["balanced_set"].keys() >= {"files", "cells", "per_cell", "limited_by"}
    assert (tmp_path / written["weights"]).is_file()
    for part, keys in PROMISED.items():
        assert written[part]
        assert all(row.keys() >= keys for row in written[part])


def test_predictions_that_fit_nothing_are_counted() -> None:
    result = found(rows(5, {"a": 0.5, "b": 0.5}), said={"00000.jpg": "a", "stranger.jpg": "b"})
    assert result["predictions"] == {"matched": 1, "unknown_image": 1, "items_without_prediction": 4}


def test_the_page_escapes_what_people_typed(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    made = [(f"{evil}{n}", evil, {evil: evil}) for n in range(40)]
    made += [(f"\udcff{n}", "b & c", {evil: '"x"'}) for n in range(40)]
    made += [(f"odd{n}", evil, {evil: '"x"'}) for n in range(9)]
    made += [(f"strange{n}", "b & c", {evil: evil}) for n in range(9)]
    audit = findings.audit(exports.dataset(made), Choices(), [Prediction(name, evil) for name, _, _ in made])
    findings.write(audit, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert (tmp_path / "balanced.txt").read_bytes()
