"""A model's predictions: a CSV file with the columns image, prediction and, if wanted, object and score."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelspace_ops.audit.items import Items
from labelspace_ops.core.errors import UsageError

Row = tuple[str, float | None]


@dataclass(frozen=True)
class Predictions:
    """What the model said of each item, None where it said nothing or nothing that can be judged."""

    of_item: NDArray[np.object_]
    counts: dict[str, int]


def read(path: Path) -> dict[tuple[str, str], Row]:
    """The surest prediction per image and object; raises ``UsageError`` naming the line."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            return _rows(csv.DictReader(file), path.name)
    except OSError as error:
        raise UsageError(f"predictions: {path}: {error.strerror or error}") from None
    except csv.Error as error:
        raise UsageError(f"predictions: {path.name} is no valid CSV: {error}") from None


def _rows(reader: csv.DictReader[str], name: str) -> dict[tuple[str, str], Row]:
    missing = [column for column in ("image", "prediction") if column not in (reader.fieldnames or [])]
    if missing:
        has = ", ".join(reader.fieldnames or []) or "none"
        raise UsageError(f"predictions: {name} lacks the column {missing[0]!r}; it has: {has}")
    best: dict[tuple[str, str], Row] = {}
    for row in reader:
        key, score = (
            (row["image"] or "", row.get("object") or ""),
            _score(row.get("score"), name, reader.line_num),
        )
        if key not in best or (score is not None and score > (best[key][1] or float("-inf"))):
            best[key] = (row["prediction"] or "", score)
    return best


def _score(value: str | None, name: str, line: int) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        raise UsageError(f"predictions: {name}, line {line}: score {value!r} is not a number") from None


def match(rows: dict[tuple[str, str], Row], items: Items) -> Predictions:
    """Give each item its prediction; of an image with several classes none is judged: which was meant?"""
    of_item = np.full(len(items), None, dtype=object)
    counts: Counter[str] = Counter()
    by_image = defaultdict(list)
    for item in range(len(items)):
        by_image[items.file(item)].append(item)
    for (image, identity), (prediction, _) in rows.items():
        fate, found = _find(items, by_image.get(image), identity)
        counts[fate] += 1
        if found is not None:
            of_item[found] = prediction
    counts["items_without_prediction"] = int(sum(one is None for one in of_item))
    return Predictions(of_item, dict(counts))


def _find(items: Items, candidates: list[int] | None, identity: str) -> tuple[str, int | None]:
    if candidates is None:
        return "unknown_image", None
    if items.level == "object" and identity:
        candidates = [item for item in candidates if str(items.identity[item]) == identity]
        if not candidates:
            return "unknown_object", None
    if len(candidates) > 1:
        return "ambiguous", None
    return "matched", candidates[0]
