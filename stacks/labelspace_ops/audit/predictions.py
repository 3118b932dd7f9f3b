"""Reads a model's predictions from CSV, parquet or COCO's results. Columns are found by name."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labelspace_ops.audit.dataset import Box, JsonObject, text
from labelspace_ops.audit.readers import table
from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.library_errors import reason

PREDICTION = ("prediction", "predicted", "pred", "predicted_class", "predicted_label", "y_pred", "label",
              "class", "category", "class_name")  # fmt: skip
SCORE = ("score", "confidence", "conf", "probability", "prob")
IOU = 0.5


@dataclass(frozen=True)
class Options:
    """Options for reading and matching a file of predictions."""

    image_column: str = ""
    prediction_column: str = ""
    class_map: dict[str, str] = field(default_factory=dict)
    iou: float = IOU
    """The least overlap at which a predicted box matches an object."""


@dataclass(frozen=True)
class Prediction:
    """A prediction for an image, or for an object in it."""

    image: str
    label: str
    object: str = ""
    score: float | None = None
    box: Box | None = None


def read(path: Path, options: Options | None = None) -> list[Prediction]:
    """The predictions of a file; raises ``UsageError`` naming the column or line that is wrong."""
    options = options or Options()
    found = _read(path, options)
    if not found:
        raise UsageError(f"predictions: {path.name} holds no predictions: leave --predictions out, or name"
                         " another file")  # fmt: skip
    return found


def _read(path: Path, options: Options) -> list[Prediction]:
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".json":
            return _results(json.loads(table.decoded(data)), path.name)
    except OSError as error:
        raise UsageError(f"predictions: {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"predictions: {path.name} is no valid JSON: {error}") from None
    try:
        if path.suffix.lower() == ".parquet":
            rows = table.rows_of_parquet(path)
            return _rows(rows, list(rows[0]) if rows else [], path.name, options)
        return _rows(table.rows_of_csv(data, path.name), table.header_of_csv(data), path.name, options)
    except (UsageError, csv.Error) as error:
        raise UsageError(f"predictions: {str(error).removeprefix('predictions: ')}") from None


def _rows(rows: Iterable[JsonObject], header: list[str], name: str, options: Options) -> list[Prediction]:
    if not header:
        raise UsageError(f"predictions: {name} is empty: it lacks the column 'image'; write image,prediction")
    image = _column(header, options.image_column, table.IMAGE, "image", name)
    label = _column(header, options.prediction_column, PREDICTION, "prediction", name)
    identity, score = table.column(header, table.OBJECT), table.column(header, SCORE)
    edges = next((edges for edges in table.BOXES if all(table.column(header, (one,)) for one in edges)), ())
    found = []
    for number, row in enumerate(rows, 2):
        values = [row.get(table.column(header, (one,)) or "") for one in edges]
        found.append(
            Prediction(
                text(row.get(image)).strip(), text(row.get(label)).strip(),
                _identity(row.get(identity)) if identity else "",
                _score(row.get(score), name, number) if score else None,
                _box(values, edges, name, number) if edges else None,
            )
        )  # fmt: skip
    return found


def _column(header: list[str], named: str, known: tuple[str, ...], what: str, name: str) -> str:
    found = named if named in header else table.column(header, known) if not named else None
    if found is None:
        raise UsageError(
            f"predictions: {name} lacks the column {named or what!r}; it has: {', '.join(header) or 'none'}:"
            f" name it with --{what}-column"
        )
    return found


def _identity(value: object) -> str:
    """The id of an object. Pandas writes 0 as 0.0 in a column that has missing values."""
    said = text(value).strip()
    try:
        number = float(said)
    except ValueError:
        return said
    return str(int(number)) if number.is_integer() else "" if math.isnan(number) else said


def _score(value: object, name: str, line: int) -> float | None:
    """A score, which may be 0; None for nan or an empty value."""
    said = text(value).strip()
    try:
        score = float(said.replace(",", ".")) if said else math.nan  # 0,9 where a comma is decimal
    except ValueError:
        raise UsageError(f"predictions: {name}, line {line}: score {said!r} is not a number") from None
    return None if math.isnan(score) else score


def _box(values: list[Any], edges: tuple[str, ...], name: str, line: int) -> Box | None:
    if not any(values):
        return None
    try:
        x, y, third, fourth = map(float, values)
    except (TypeError, ValueError):
        raise UsageError(
            f"predictions: {name}, line {line}: the box {values} holds no four numbers"
        ) from None
    return (x, y, third, fourth) if edges[2] == "width" else (x, y, third - x, fourth - y)


def _results(document: Any, name: str) -> list[Prediction]:
    """COCO's results: a list of image_id, category_id, bbox and score."""
    if isinstance(document, dict):
        document = document.get("annotations")
    try:
        return [_result(one) for one in document]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise UsageError(
            f"predictions: {name} is JSON, but no list of COCO results ({reason(error)}):"
            ' expected objects with "image_id", "category_id", "bbox" [x, y, width, height] and "score"'
        ) from None


def _result(one: JsonObject) -> Prediction:
    box = one.get("bbox")
    label = one.get("category_id", one.get("category", one.get("label")))
    score = one.get("score")
    x, y, width, height = map(float, box) if box else (math.nan,) * 4
    return Prediction(
        _identity(one["image_id"]), _identity(label), score=None if score is None else float(score),
        box=(x, y, width, height) if box else None,
    )  # fmt: skip
