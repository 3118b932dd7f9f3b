"""Reads labels from a CSV or parquet table. A row is an image, or an object if the table has boxes or ids."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from labelspace_ops.audit.attribute_groups import is_number
from labelspace_ops.audit.dataset import NO_BOX, Box, Builder, JsonObject, text
from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.library_errors import reason

FORMAT = "table of labels"
IMAGE = ("image", "file_name", "filename", "file", "path", "image_path", "image_name", "image_id", "imageid",
         "img", "name")  # fmt: skip
LABEL = ("label", "class", "category", "class_name", "label_name", "labelname", "target", "y", "species",
         "diagnosis")  # fmt: skip
OBJECT = ("object", "object_id", "annotation_id", "box")
SUBSET = ("subset", "split")
INDEX = ("", "Unnamed: 0")
"""The column of row numbers that pandas writes."""
NO_LABEL = {"", "nan", "null", "<na>"}
"""How pandas and databases write a missing label, in lower case."""
BOXES = (("xmin", "ymin", "xmax", "ymax"), ("x1", "y1", "x2", "y2"), ("x", "y", "width", "height"))


def rows_of_csv(data: bytes, name: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file; its encoding and delimiter are detected. Missing last cells are empty."""
    reader = _reader(data)
    try:
        header = _header(reader)
        if not header:
            raise UsageError(f"{name} is empty: expected a header with a column for the image")
        twice = next((one for one in header if one and header.count(one) > 1), None)
        if twice:
            raise UsageError(f"{name} has two columns {twice!r}: rename or remove one")
        for row in reader:
            if len(row) > len(header) and any(row[len(header) :]):
                raise UsageError(
                    f"{name}, line {reader.line_num}: {len(row)} cells, but the header has {len(header)}:"
                    " quote the cells that hold the delimiter"
                )
            if row:
                yield dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=False))
    except csv.Error as error:
        raise UsageError(f"{name}, line {reader.line_num}: no valid CSV: {error}") from None


def header_of_csv(data: bytes) -> list[str]:
    """The columns of a CSV file."""
    return _header(_reader(data))


def _header(reader: Iterator[list[str]]) -> list[str]:
    return [one.strip() for one in next(reader, [])]


def _reader(data: bytes) -> Any:
    """The rows as lists of cells, without the line ``sep=;`` that Excel reads."""
    text = decoded(data).lstrip("\r\n")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        return csv.reader(StringIO(rest, newline=""), delimiter=first[4])
    return csv.reader(StringIO(text, newline=""), delimiter=delimiter(first.partition("\r")[0]))


def decoded(data: bytes) -> str:
    """The text of UTF-8, or of UTF-16 with a byte order mark; invalid bytes are kept as escapes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="surrogateescape")


def delimiter(header: str) -> str:
    """The delimiter that occurs most often in the header."""
    return max(",;\t|", key=header.count)


def rows_of_parquet(path: Path) -> list[JsonObject]:
    """The rows of a parquet file; raises ``UsageError`` when pyarrow is not installed."""
    try:
        from pyarrow import parquet  # noqa: PLC0415 - large, and only wanted for this
    except ImportError:
        raise UsageError(
            f"{path.name}: reading parquet needs pyarrow: `pip install pyarrow`, or convert the table to CSV"
        ) from None
    try:
        rows: list[JsonObject] = parquet.read_table(path).to_pylist()
    except ValueError as error:  # pyarrow's ArrowInvalid
        raise UsageError(f"{path.name} is no valid parquet: {reason(error)}: give another file") from None
    return rows


def column(columns: Iterable[str], known: tuple[str, ...]) -> str | None:
    """The first column with one of the known names, ignoring case."""
    by_lower = {one.lower(): one for one in reversed(list(columns))}
    return next((by_lower[name] for name in known if name in by_lower), None)


@dataclass(frozen=True)
class Columns:
    """The columns of a table of labels."""

    image: str
    label: str
    object: str | None
    subset: str | None
    box: list[str]
    """The columns of four edges, or of two edges, width and height; empty without boxes."""
    corners: bool
    size: list[str]
    """The columns of width and height of the image; empty without them."""
    attributes: tuple[str, ...]


def read(rows: Iterable[JsonObject], builder: Builder, name: str) -> None:
    """Fill ``builder``; every other column is an attribute of its row."""
    builder.shared_attributes = True
    indexes: dict[tuple[str, str], int] = {}
    columns: Columns | None = None
    for number, row in enumerate(rows, 1):
        columns = columns or _columns(list(row), name)
        try:
            _row(row, columns, builder, indexes)
        except ValueError as error:
            raise UsageError(
                f"annotations: {name}, row {number}: the box in {', '.join(columns.box)} is no four numbers"
                f" ({reason(error)})"
            ) from None
    if columns is None:
        raise UsageError(f"annotations: {name} has no rows")


def _columns(header: list[str], name: str) -> Columns:
    image, label = column(header, IMAGE), column(header, LABEL)
    if image is None or label is None or image == label:
        raise UsageError(
            f"annotations: {name} has the columns {', '.join(header)}: expected one for the image"
            f" ({', '.join(IMAGE[:4])}) and one for the label ({', '.join(LABEL[:4])})"
        )
    edges = next((list(one) for one in BOXES if len(_all(header, one)) == len(one)), [])
    corners = bool(edges) and "width" not in edges
    size = _all(header, ("width", "height")) if corners else []
    identity, subset, box = column(header, OBJECT), column(header, SUBSET), _all(header, edges)
    special = {image, label, identity, subset, *box, *size}
    return Columns(
        image, label, identity, subset, box, corners, size if len(size) == 2 else [],
        tuple(one for one in header if one not in special and one not in INDEX),
    )  # fmt: skip


def _all(header: list[str], names: Iterable[str]) -> list[str]:
    """The existing columns with the given names."""
    return [found for one in names if (found := column(header, (one,)))]


def _row(row: JsonObject, columns: Columns, builder: Builder, indexes: dict[tuple[str, str], int]) -> None:
    key = (text(row.get(columns.subset)) if columns.subset else "", text(row[columns.image]))
    if key in indexes:
        builder.select(indexes[key])
    else:
        width, height = (_number(row.get(side)) for side in columns.size or ("", ""))
        indexes[key] = builder.add_image(key[1], subset=key[0], width=width, height=height)
    label = text(row[columns.label]).strip()
    builder.add(
        "" if label.lower() in NO_LABEL else label, columns.attributes,
        [text(row.get(one)) for one in columns.attributes],
        tag=not (columns.object or columns.box), box=_box(row, columns) if columns.box else NO_BOX,
        identity=text(row[columns.object]) if columns.object else None,
    )  # fmt: skip


def _number(value: object) -> float:
    return float(str(value)) if is_number(str(value)) else 0.0


def _box(row: JsonObject, columns: Columns) -> Box:
    cells = [text(row.get(edge)).strip() for edge in columns.box]
    if not any(cells):
        return NO_BOX
    x, y, third, fourth = map(float, cells)
    return (x, y, third - x, fourth - y) if columns.corners else (x, y, third, fourth)
