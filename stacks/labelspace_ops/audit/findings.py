"""Runs the audit of an export and writes its files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from labelspace_ops.audit import associations, balance, gaps, matching, metrics, source, summary, weights
from labelspace_ops.audit import items as items_module
from labelspace_ops.audit import predictions as predictions_module
from labelspace_ops.audit.dataset import Dataset, Job
from labelspace_ops.audit.items import Items
from labelspace_ops.audit.pictures import Pictures
from labelspace_ops.audit.predictions import Options, Prediction
from labelspace_ops.audit.results import AuditedPair, AuditReport, BalancedSet, Weighting
from labelspace_ops.audit.statistics import CONFIDENCE, Numbers
from labelspace_ops.audit.vocabulary import shortened
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.labels.audit_choices import Choices

FILES = ("audit.json", "report.html", weights.FILE, "balanced.txt", "independent.txt")
MOST_SHOWN, EXAMPLES = 20, 6
"""The number of findings that are shown with examples, and the number of examples of each."""


@dataclass(frozen=True)
class Audit:
    """The report, and the weights, which are written to a separate file."""

    report: AuditReport
    items: Items
    weights: Numbers
    weighted_by: list[str]
    thumbnails: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def found(self) -> dict[str, Any]:
        """The report as JSON."""
        return self.report.as_json()


def audit_file(
    path: Path,
    choices: Choices,
    predictions: Path | None = None,
    options: Options | None = None,
    images: Path | None = None,
    *,
    one_namespace: bool = False,
    jobs: tuple[Job, ...] = (),
) -> Audit:
    """Audit an export, with its images if ``images`` is given; raises ``UsageError`` for unusable input.

    ``one_namespace`` says that a path names the same image in every subset. ``jobs`` replace those of the
    export, which lacks the assignees of jobs.
    """
    options = options or Options()
    predicted = predictions_module.read(predictions, options) if predictions else None
    dataset = replace(source.read(path, choices.named, choices.bins), one_namespace=one_namespace)
    dataset = replace(dataset, jobs=jobs or dataset.jobs)
    if images is None:
        return audit(dataset, choices, predicted, options)
    pictures = Pictures(images)
    measured = pictures.measure(dataset.images)
    if np.isnan(measured).all() and len(measured):
        raise UsageError(f"images: {images} holds none of the {len(measured):,} images: name another folder")
    result = audit(replace(dataset, pictures=measured), choices, predicted, options)
    return replace(result, thumbnails=_thumbnails(result, pictures))


def _thumbnails(result: Audit, pictures: Pictures) -> dict[tuple[str, str], list[str]]:
    """Example images of each finding: images of the class with the value that is too frequent."""
    found: dict[tuple[str, str], list[str]] = {}
    items = result.items
    report = result.report
    for row in (report.findings() + report.findings(measured=True))[:MOST_SHOWN]:
        value, column = associations.largest(row)[0], items.attributes[row.attribute]
        fits = (column.codes == column.values.index(value)) & (items.label == items.classes.index(row.label))
        names = list(dict.fromkeys(items.file(int(item)) for item in np.flatnonzero(fits)[:50]))
        shown = [url for name in names[:EXAMPLES] if (url := pictures.thumbnail(name))]
        found[row.label, row.attribute] = shown
    return found


def audit(
    dataset: Dataset,
    choices: Choices,
    predicted: list[Prediction] | None = None,
    options: Options | None = None,
) -> Audit:
    """Audit annotations, with or without a model's predictions."""
    choices = _by_full_names(dataset, choices)
    items = items_module.find(dataset, choices)
    pairs = associations.measure(items, choices)
    weighted_by = list(choices.protected) or ([] if choices.condition else _strongest(pairs, items))
    values, weighting = weights.compute(items, weighted_by)
    balanced_over = list(choices.balance or choices.condition) or _strongest(pairs, items)
    balanced = balance.compose(items, balanced_over, choices)
    report = _head(dataset, items, choices, pairs=pairs, balanced=balanced, weighting=weighting)
    _evaluate(report, items, predicted, choices, options or Options())
    report.summary = summary.sentences(report)
    return Audit(report, items, values, weighted_by)


def _by_full_names(dataset: Dataset, choices: Choices) -> Choices:
    """The choices with full attribute names: ``type`` may mean ``car.type`` and ``tree.type``."""
    full = items_module.resolved(dataset, choices)
    named = {
        kind: tuple(dict.fromkeys(name for one in getattr(choices, kind) for name in full[one]))
        for kind in ("condition", "protected", "balance")
    }
    return replace(choices, **named)  # type: ignore[arg-type]


def _strongest(pairs: list[AuditedPair], items: Items) -> list[str]:
    """The attribute with the strongest association; recorded attributes take precedence."""
    recorded = items.recorded()
    known = [row.attribute for row in pairs if row.cramers_v is not None]
    return ([name for name in known if name in recorded] or recorded or known)[:1]


def _head(
    dataset: Dataset, items: Items, choices: Choices, *, pairs: list[AuditedPair], balanced: BalancedSet,
    weighting: Weighting,
) -> AuditReport:  # fmt: skip
    counts = np.bincount(items.label, minlength=len(items.classes))
    return AuditReport(
        source=dataset.source,
        level=items.level,
        levels=items.levels,
        clustered_by=items.clustered_by,
        clusters=len(np.unique(items.cluster)),
        images=len(set(dataset.keys())),
        unlabelled_images=items.unlabelled,
        items=len(items),
        classes={name: int(count) for name, count in zip(items.classes, counts, strict=True)},
        additional_labels=items.additional,
        attributes={
            name: replace(items.coverage[name], kind=items.kind(name, choices)) for name in items.attributes
        },
        alpha=choices.alpha,
        confidence=CONFIDENCE,
        min_group=choices.min_group,
        notes=[*items.notes, *_remarks(items)],
        associations=pairs,
        balanced_set=balanced,
        weights=weights.FILE,
        weighting=weighting,
    )


def _remarks(items: Items) -> list[str]:
    remarks = [] if len(items) else ["no annotation has a class: there is nothing to compare yet"]
    if len(items) and not items.recorded():
        remarks.append("no select, radio or checkbox attribute: only measured conditions were compared")
    if len(items.classes) == 1:
        remarks.append("only one class: nothing to compare it with")
    return remarks


def _evaluate(
    report: AuditReport, items: Items, predicted: list[Prediction] | None, choices: Choices, options: Options
) -> None:
    """Add the results of the predictions to the report."""
    if predicted is None:
        return
    outcomes = matching.match(predicted, items, options)
    evaluation = metrics.Evaluation(items, outcomes)
    protected = list(choices.protected) or ([] if choices.condition else items.recorded())
    report.notes += [*outcomes.notes, *_unmatched(outcomes.counts), *_undefined(evaluation, protected)]
    report.predictions = outcomes.counts
    report.error_rates = metrics.error_rates(evaluation, choices)
    report.gaps = gaps.measure(evaluation, protected, choices)
    report.fairness = metrics.by_group(evaluation, protected, choices)
    report.confusion = metrics.confusion(evaluation, protected)


def _undefined(evaluation: metrics.Evaluation, names: list[str]) -> list[str]:
    return [
        f"attribute {name}: most false positives of class {shortened(classes)} have no value of it, so that"
        " precision, F1 and average precision are not compared by it"
        for name in names if (classes := evaluation.undefined(name))
    ]  # fmt: skip


def _unmatched(counts: dict[str, int]) -> list[str]:
    meaning = {
        "unknown_image": "predictions name images that the export does not hold, or that have no class",
        "unknown_object": "predictions name objects that their image does not hold",
        "unknown_class": "predictions name classes that the export does not hold: they count as wrong",
        "no_class": "predictions have no class: passed over",
        "ambiguous": "predictions fit several classes or objects of their image: not judged",
        "tied": "items have several classes of the same highest score: not judged",
        "missed": "objects were found by no prediction: they count as wrong",
        "found_nothing": "predicted boxes are on no object: false positives",
        "items_without_prediction": "items have no prediction: not judged",
    }
    return [f"{counts[key]:,} {sentence}" for key, sentence in meaning.items() if counts.get(key)]


def write(audit: Audit, folder: Path) -> None:
    """Write the report's files into a folder; a missing folder is created."""
    from labelspace_ops.audit import html_page  # noqa: PLC0415 - the page is only made when it is written

    balanced = audit.report.balanced_set
    text = json.dumps(audit.found, indent=2)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "audit.json").write_text(text + "\n", encoding="utf-8")
        (folder / "report.html").write_text(html_page.page(audit.report, audit.thumbnails), encoding="utf-8")
        _list(folder / "balanced.txt", balanced.files)
        _list(folder / "independent.txt", balanced.independent.files)
        weights.write(folder / weights.FILE, audit.items, audit.weights, audit.weighted_by)
    except OSError as error:
        raise OpsError(
            f"out: {folder}: {error.strerror or error}: choose another folder with --out"
        ) from None


def _list(path: Path, names: list[str]) -> None:
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8", errors="surrogateescape")
