"""Whether predictions depend on a protected attribute, class by class: by fairlearn's MetricFrame."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from labelspace_ops.audit.dataset import MISSING
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.predictions import Predictions
from labelspace_ops.labels.audit_choices import Choices


def measure(
    items: Items, predictions: Predictions, names: list[str], choices: Choices
) -> list[dict[str, Any]]:
    """Demographic parity and equalized odds per attribute and class, without groups too small to judge."""
    said = predictions.of_item != None  # noqa: E711 - of each element
    found: list[dict[str, Any]] = []
    for name in names:
        rows = np.flatnonzero(said & (items.attributes[name].codes != MISSING))
        found += [
            _one(items, predictions, name, code, rows=rows, choices=choices)
            for code in range(len(items.classes))
        ]
    return found


def _one(
    items: Items, predictions: Predictions, name: str, code: int, *, rows: Any, choices: Choices
) -> dict[str, Any]:
    column = items.attributes[name]
    sizes = np.bincount(column.codes[rows], minlength=len(column.values))
    too_small = [column.values[value] for value in np.flatnonzero((sizes > 0) & (sizes < choices.min_group))]
    rows = rows[sizes[column.codes[rows]] >= choices.min_group]
    groups = [column.values[value] for value in column.codes[rows]]
    label = items.classes[code]
    head = {"attribute": name, "class": label, "too_small": too_small}
    if len(set(groups)) < 2:
        return head | {"groups": {}, "why": "fewer than two groups are large enough to compare"}
    truth, said = items.label[rows] == code, predictions.of_item[rows] == label
    return head | _frame(truth.astype(int), said.astype(int), groups)


def _frame(truth: Any, said: Any, groups: list[str]) -> dict[str, Any]:
    from fairlearn.metrics import (  # noqa: PLC0415 - slow to load, and only wanted with predictions
        MetricFrame,
        count,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )

    metrics = {
        "n": count, "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate, "false_positive_rate": false_positive_rate,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a group without a positive: its rate is then said to be unknown
        frame = MetricFrame(metrics=metrics, y_true=truth, y_pred=said, sensitive_features=groups)
        by_group = {str(group): _rates(row) for group, row in frame.by_group.to_dict("index").items()}
        differences, ratios = frame.difference(), frame.ratio()
    for group, rates in by_group.items():
        positives = truth[np.array(groups) == group]
        if not positives.any():
            rates["true_positive_rate"] = None
        if positives.all():
            rates["false_positive_rate"] = None
    odds = all(
        rates[rate] is not None
        for rates in by_group.values()
        for rate in ("true_positive_rate", "false_positive_rate")
    )
    return {
        "groups": by_group,
        "demographic_parity_difference": _number(differences["selection_rate"]),
        "demographic_parity_ratio": _number(ratios["selection_rate"]),
        "equalized_odds_difference": _number(
            max(differences["true_positive_rate"], differences["false_positive_rate"])
        )
        if odds
        else None,
    }


def _rates(row: dict[str, Any]) -> dict[str, Any]:
    return {name: int(value) if name == "n" else _number(value) for name, value in row.items()}


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
