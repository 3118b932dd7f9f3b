"""Summarises the audit in at most five sentences for readers without knowledge of statistics."""

from __future__ import annotations

from labelspace_ops.audit.results import AuditedGap, AuditReport

MOST = 5
PLAIN = {
    "error": "the model is wrong", "false_positive_rate": "others are taken for {}",
    "false_negative_rate": "{} is not recognised", "recall": "{} is not recognised",
    "precision": "a prediction of {} is wrong", "selection_rate": "{} is predicted",
}  # fmt: skip
"""What happens more often in the worst group; the class is filled in."""
FEW = 30
"""With fewer independent samples only the strongest dependence shows."""


def sentences(found: AuditReport) -> list[str]:
    """The audited data, the strongest finding, the model's error, its gaps, and the next step."""
    parts = [_looked_at(found), _strongest(found), _error(found), *_gaps(found), _next(found)]
    return [part for part in parts if part][:MOST]


def _looked_at(found: AuditReport) -> str:
    kinds = f"{len(found.classes):,} class{'' if len(found.classes) == 1 else 'es'}"
    return f"{found.items:,} {_what(found)} of {kinds} in {found.images:,} images were audited."


def _what(found: AuditReport) -> str:
    return "objects" if found.level == "object" else "image tags"


def _strongest(found: AuditReport) -> str:
    if not found.items:
        return "No annotation has a class yet."
    for measured in (False, True):
        rows = found.findings(measured=measured)
        if rows:
            more = f" ({len(rows) - 1} more such findings)" if len(rows) > 1 else ""
            start = "Of what was measured" if measured else "A model may learn a condition instead of a class"
            return f"{start}: {rows[0].sentence}{more}."
    if all(row.p_value is None for row in found.associations):
        return f"No class was compared with others: {_why_not(found)}."
    few = f", but {found.clusters:,} independent {found.clustered_by}s are few to tell by"
    none = "No class goes together with a condition more than chance explains"
    return f"{none}{few if found.clusters < FEW else ''}."


def _why_not(found: AuditReport) -> str:
    if len(found.classes) < 2:
        return "there is only one class"
    if not found.associations:
        return "no attribute is annotated, and all items are alike in what is measured"
    return found.associations[0].why or "too little is known"


def _error(found: AuditReport) -> str:
    row = found.overall
    if row is None:
        return ""
    if row.too_small:
        some = f"{row.n:,} of {found.items:,} items have a prediction"
        said = some if row.n < found.items else f"{row.n:,} items are there"
        return f"Only {said}: too few to say how often the model is wrong."
    share, false = f"{row.error_rate * 100:.1f} %", (found.predictions or {}).get("found_nothing", 0)
    if false or (found.predictions or {}).get("missed"):
        boxes = f"; {false:,} of its boxes are on no object" if false else ""
        return f"The model misses or mislabels {share} of {row.n:,} {_what(found)}{boxes}."
    return f"The model is wrong on {share} of {row.n:,} judged {_what(found)}."


def _gaps(found: AuditReport) -> list[str]:
    """A gap that turns round within groups, and the largest one that is more than chance."""
    rows = [row for row in found.gaps or [] if row.difference is not None]
    reversed_ = [row for row in rows if row.reversal]
    clear = [row for row in rows if row.distinguishable and row not in reversed_]
    said = [f"{row.sentence}." for row in reversed_[:1]]
    said += [_clear(max(clear, key=_weight))] if clear else []
    return said or (["No difference between groups is larger than chance explains."] if rows else [])


def _clear(row: AuditedGap) -> str:
    if row.metric not in PLAIN or row.difference is None:
        return f"{row.sentence}."
    return (
        f"By {row.attribute}, {PLAIN[row.metric].format(row.label)} most often for {row.worst}:"
        f" {row.difference * 100:.1f} percentage points more often than for {row.best}."
    )


def _weight(row: AuditedGap) -> tuple[bool, bool, float]:
    """The order of gaps: errors first, selection rates last, as classes are unequal between groups."""
    return row.metric == "error", row.metric != "selection_rate", row.difference or 0.0


def _next(found: AuditReport) -> str:
    one = found.balanced_set
    if one.collect_next:
        first = one.collect_next[0]
        names = ", ".join(
            f"{name}: {value}" for name, value in first.items() if name not in {"more", "class"}
        )
        images = "image" if first["more"] == 1 else "images"
        where = f" ({names})" if names else ""
        return (
            f"To balance the data, first collect {first['more']:,} more {images} of {first['class']}{where}."
        )
    return ""
