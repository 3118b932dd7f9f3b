"""Checks for continuous integration: limits on numbers, and changes since an earlier audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from labelspace_ops.audit.gaps import rate_name
from labelspace_ops.audit.limits import parse
from labelspace_ops.audit.results import AuditedGap, AuditReport, Compared
from labelspace_ops.core.errors import UsageError

Json = dict[str, Any]
OF_OTHER_CLASS = {
    "recall": "false_positive_rate", "false_negative_rate": "false_positive_rate",
    "false_positive_rate": "false_negative_rate", "selection_rate": "selection_rate",
}  # fmt: skip
"""The rate of the other one of two classes whose differences between groups are the same."""


def exceeded(found: AuditReport, limits: list[str]) -> list[str]:
    """The limits that the audit breaks, each with its number; raises ``UsageError`` for a missing number."""
    said = []
    for text in limits:
        limit = parse(text)
        value, about = _value(found, limit.what, limit.arguments, text)
        if limit.is_broken_by(value):
            said.append(f"fail-on: {text}: it is {value:.4g}{about}")
    return said


def _value(found: AuditReport, what: str, arguments: list[str], text: str) -> tuple[float, str]:
    if what == "suspicious":
        return float(len(found.findings())), ""
    if what == "items":
        return float(found.items), ""
    if found.gaps is None:
        raise UsageError(f"fail-on: {text!r} needs predictions: add --predictions")
    if what == "gap":
        return _gap(found, arguments, text)
    whole = found.overall
    if whole is not None and whole.too_small:
        raise UsageError(
            f"fail-on: {text!r}: only {whole.n:,} items have a prediction: predict more of them,"
            " or lower --min-group"
        )
    return (whole.error_rate if whole else 0.0), ""


def _gap(found: AuditReport, arguments: list[str], text: str) -> tuple[float, str]:
    metric, attribute, *label = arguments
    gaps = [row for row in found.gaps or [] if row.attribute == attribute]
    labels: list[str | None] = [*label] or [None, *found.classes]
    rows = [row for one in labels for row in _equal(gaps, metric, one, found)]
    if not rows:
        has = ", ".join(sorted({f"gap({row.metric}, {row.attribute})" for row in found.gaps or []})) or "none"
        raise UsageError(f"fail-on: {text!r} is not in the audit; it has: {has}")
    known = [(row.difference, row.sentence) for row in rows if row.difference is not None]
    if not known:
        raise UsageError(
            f"fail-on: {text!r}: fewer than two groups are large enough to compare: lower --min-group"
        )
    difference, sentence = max(known)
    return difference, f" ({sentence})"


def _equal(gaps: list[AuditedGap], metric: str, label: str | None, found: AuditReport) -> list[AuditedGap]:
    """The differences of a metric of a class, or those that equal them.

    The audit states each difference once: recall by the false negative rate, and of two classes the rates of
    one, if each item is predicted as one of them.
    """
    others = [one for one in found.classes if one != label]
    keys = [(metric, label), ({"recall": "false_negative_rate"}.get(metric, metric), label)]
    if len(others) == 1:
        keys.append((OF_OTHER_CLASS.get(metric, ""), others[0]))
    rows = ([row for row in gaps if (row.metric, row.label) == key] for key in keys)
    return next((one for one in rows if one), [])


def load(path: Path) -> Json:
    """The JSON of an earlier audit."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"compare: {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"compare: {path.name} is no valid JSON: {error}") from None
    if not isinstance(found, dict) or "associations" not in found or "items" not in found:
        raise UsageError(f"compare: {path.name} is no audit.json: name the one of an earlier audit")
    return found


def compared(report: AuditReport, old: Json) -> Compared:
    """The findings that are new or gone, and the changes of the numbers."""
    found = report.as_json()
    now, before = _pairs(found), _pairs(old)
    new, gone = (
        [now[key] for key in now if key not in before],
        [before[key] for key in before if key not in now],
    )
    sentences = [f"items: {old['items']:,} before, {found['items']:,} now"]
    sentences += [f"new: {one}" for one in new] + [f"gone: {one}" for one in gone]
    sentences += _moved(_rates(old), _rates(found), "the error rate of {}")
    sentences += _moved(_gaps(old), _gaps(found), "the largest difference in {}")
    return Compared(new, gone, sentences)


def _pairs(found: Json) -> dict[tuple[str, str], str]:
    return {
        (row["attribute"], row["class"]): row["sentence"]
        for row in found["associations"] if row["suspicious"] and row.get("repeats") is None
    }  # fmt: skip


def _rates(found: Json) -> dict[str, float]:
    whole = [row for row in found["error_rates"] if not row["by"] and row["class"] is None]
    return {"all items": whole[0]["error_rate"]} if whole else {}


def _gaps(found: Json) -> dict[str, float]:
    known = [row for row in found.get("gaps", []) if row["difference"] is not None and "metric" in row]
    names = [f"{rate_name(row['metric'], row['class'])} by {row['attribute']}" for row in known]
    return {name: row["difference"] for name, row in zip(names, known, strict=True)}


def _moved(before: dict[str, float], now: dict[str, float], what: str) -> list[str]:
    return [
        f"{what.format(name)}: {before[name] * 100:.1f} % before, {now[name] * 100:.1f} % now"
        for name in now if name in before and abs(now[name] - before[name]) >= 5e-4
    ]  # fmt: skip
