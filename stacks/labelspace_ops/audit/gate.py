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
        return _gap(found.gaps, arguments, text)
    whole = found.overall
    if whole is not None and whole.too_small:
        raise UsageError(
            f"fail-on: {text!r}: only {whole.n:,} items have a prediction: predict more of them,"
            " or lower --min-group"
        )
    return (whole.error_rate if whole else 0.0), ""


def _gap(gaps: list[AuditedGap], arguments: list[str], text: str) -> tuple[float, str]:
    metric, attribute, *label = arguments
    rows = [row for row in gaps if (row.metric, row.attribute) == (metric, attribute)
            and (not label or row.label == label[0])]  # fmt: skip
    if not rows:
        has = ", ".join(sorted({f"gap({row.metric}, {row.attribute})" for row in gaps})) or "none"
        raise UsageError(f"fail-on: {text!r} is not in the audit; it has: {has}")
    known = [(row.difference, row.sentence) for row in rows if row.difference is not None]
    if not known:
        raise UsageError(
            f"fail-on: {text!r}: fewer than two groups are large enough to compare: lower --min-group"
        )
    difference, sentence = max(known)
    return difference, f" ({sentence})"


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
