"""The audit: from an export to what it says, as the JSON that is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labelspace_ops.audit import (
    associations,
    balance,
    error_rates,
    fairness,
    source,
    weights,
)
from labelspace_ops.audit import (
    items as items_module,
)
from labelspace_ops.audit import (
    predictions as predictions_module,
)
from labelspace_ops.audit.dataset import Dataset
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.statistics import CONFIDENCE, Numbers
from labelspace_ops.core.errors import OpsError
from labelspace_ops.labels.audit_choices import Choices

FILES = ("audit.json", "report.html", weights.FILE, "balanced.txt")


@dataclass(frozen=True)
class Audit:
    """What was found, and the weights that go into a file of their own."""

    found: dict[str, Any]
    items: Items
    weights: Numbers
    weighted_by: list[str]


def audit_file(path: Path, choices: Choices, predictions: Path | None = None) -> Audit:
    """Audit an export; raises ``UsageError`` for input that is none."""
    said = predictions_module.read(predictions) if predictions else None
    return audit(source.read(path, choices.named), choices, said)


def audit(
    dataset: Dataset, choices: Choices, said: dict[tuple[str, str], predictions_module.Row] | None = None
) -> Audit:
    """Audit annotations, with a model's predictions or without."""
    items = items_module.find(dataset, choices)
    pairs = associations.measure(items, choices)
    strongest = [row["attribute"] for row in pairs if row["cramers_v"] is not None][:1] or list(
        items.attributes
    )[:1]
    weighted_by = list(choices.protected) or ([] if choices.condition else strongest)
    values, summary = weights.compute(items, weighted_by)
    balanced_over = list(choices.balance or choices.condition) or strongest
    found = {
        **_head(dataset, items, choices),
        "associations": pairs,
        "balanced_set": balance.compose(items, balanced_over, choices),
        "weights": weights.FILE,
        "weighting": summary,
        "error_rates": [],
    }
    return Audit(found | _judge(items, said, choices, found["notes"]), items, values, weighted_by)


def _head(dataset: Dataset, items: Items, choices: Choices) -> dict[str, Any]:
    counts = np.bincount(items.label, minlength=len(items.classes))
    return {
        "source": dataset.source,
        "level": items.level,
        "images": len(set(dataset.images)),
        "unlabelled_images": items.unlabelled,
        "items": len(items),
        "classes": {name: int(count) for name, count in zip(items.classes, counts, strict=True)},
        "additional_labels": items.additional,
        "attributes": {
            name: {"kind": items.kind(name, choices)} | items.coverage[name] for name in items.attributes
        },
        "alpha": choices.alpha,
        "confidence": CONFIDENCE,
        "min_group": choices.min_group,
        "notes": [*items.notes, *_remarks(items)],
    }


def _remarks(items: Items) -> list[str]:
    remarks = [] if len(items) else ["no annotation has a class: there is nothing to compare yet"]
    if len(items) and not items.attributes:
        remarks.append("no select, radio or checkbox attribute: only classes were counted")
    if len(items.classes) == 1:
        remarks.append("only one class: nothing to compare it with")
    return remarks


def _judge(items: Items, said: Any, choices: Choices, notes: list[str]) -> dict[str, Any]:
    if said is None:
        return {}
    predictions = predictions_module.match(said, items)
    rates = error_rates.measure(items, predictions, choices)
    protected = list(choices.protected) or ([] if choices.condition else list(items.attributes))
    return {
        "notes": [*notes, *_unmatched(predictions.counts)],
        "predictions": predictions.counts,
        "error_rates": rates,
        "gaps": error_rates.gaps(rates, items),
        "fairness": fairness.measure(items, predictions, protected, choices),
    }


def _unmatched(counts: dict[str, int]) -> list[str]:
    said = {
        "unknown_image": "predictions name images that the export does not hold, or that have no class",
        "unknown_object": "predictions name objects that their image does not hold",
        "ambiguous": "predictions fit several classes or objects of their image: not judged",
        "items_without_prediction": "items have no prediction: not judged",
    }
    return [f"{counts[key]} {sentence}" for key, sentence in said.items() if counts.get(key)]


def write(audit: Audit, folder: Path) -> None:
    """Write the report's files into a folder, which is made when it is missing."""
    from labelspace_ops.audit import report  # noqa: PLC0415 - the page is only made when it is written

    text = json.dumps(audit.found, indent=2)
    listed = "".join(f"{name}\n" for name in audit.found["balanced_set"]["files"])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "audit.json").write_text(text + "\n", encoding="utf-8")
        (folder / "report.html").write_text(report.page(audit.found), encoding="utf-8")
        (folder / "balanced.txt").write_text(listed, encoding="utf-8", errors="surrogateescape")
        weights.write(folder / weights.FILE, audit.items, audit.weights, audit.weighted_by)
    except OSError as error:
        raise OpsError(
            f"out: {folder}: {error.strerror or error}: choose another folder with --out"
        ) from None
