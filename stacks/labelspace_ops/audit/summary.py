"""The audit in at most five sentences, for somebody who reads no statistics."""

from __future__ import annotations

from typing import Any

MOST = 5
Found = dict[str, Any]


def sentences(found: Found) -> list[str]:
    """What was looked at, the strongest finding, the model's error, its largest gap, what to do next."""
    parts = [_looked_at(found), _strongest(found), _error(found), _gap(found), _next(found)]
    return [part for part in parts if part][:MOST]


def findings(found: Found, *, measured: bool = False) -> list[Found]:
    """The suspicious pairs, each once."""
    return [
        row for row in found["associations"]
        if row["suspicious"] and row["repeats"] is None and row["measured"] is measured
    ]  # fmt: skip


def _looked_at(found: Found) -> str:
    what = "objects" if found["level"] == "object" else "image tags"
    where = f"{len(found['classes']):,} classes in {found['images']:,} images"
    return f"{found['items']:,} {what} of {where} were audited."


def _strongest(found: Found) -> str:
    if not found["items"]:
        return "No annotation has a class yet."
    for measured in (False, True):
        rows = findings(found, measured=measured)
        if rows:
            more = f" ({len(rows) - 1} more such findings)" if len(rows) > 1 else ""
            start = "Of what was measured" if measured else "A model may learn a condition instead of a class"
            return f"{start}: {rows[0]['sentence']}{more}."
    return "No class goes together with a condition more than chance explains."


def _error(found: Found) -> str:
    for row in found["error_rates"]:
        if not row["by"] and row["class"] is None:
            if row["too_small"]:
                judged = f"{row['n']:,} of {found['items']:,} items"
                return f"Only {judged} have a prediction: too few to say how often the model is wrong."
            return f"The model is wrong on {row['error_rate'] * 100:.1f} % of {row['n']:,} judged items."
    return ""


def _gap(found: Found) -> str:
    rows = [row for row in found.get("gaps", []) if row["difference"] is not None]
    clear = [row for row in rows if row["distinguishable"]]
    reversed_ = [row for row in rows if row["reversal"]]
    if reversed_:
        return f"{reversed_[0]['sentence']}."
    if clear:
        return f"{max(clear, key=lambda row: (row['metric'] == 'error', row['difference']))['sentence']}."
    return "No difference between groups is larger than chance explains." if rows else ""


def _next(found: Found) -> str:
    one = found["balanced_set"]
    if one["collect_next"]:
        first = one["collect_next"][0]
        names = ", ".join(f"{name}: {value}" for name, value in first.items() if name != "more")
        return f"To balance the data, collect {first['more']:,} more images of {names} first."
    return ""
