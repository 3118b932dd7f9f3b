"""Small exports for the tests, as CVAT writes them."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from labelspace_ops.audit.dataset import Builder, Dataset

Row = tuple[str, str, dict[str, str]]


def xml(rows: Iterable[Row], extra: str = "") -> str:
    """One image a row: its name, its class (none when empty), its attributes on a tag named audit."""
    images = "".join(_image(*row) for row in rows)
    return f"<annotations><version>1.1</version><meta></meta>{images}{extra}</annotations>"


def _image(name: str, label: str, attributes: dict[str, str]) -> str:
    tag = f'<tag label="{escape(label)}" source="manual"></tag>' if label else ""
    own = "".join(
        f'<attribute name="{escape(key)}">{escape(value)}</attribute>' for key, value in attributes.items()
    )
    audit = f'<tag label="audit" source="manual">{own}</tag>' if attributes else ""
    return f'<image id="0" name="{escape(name)}" width="6" height="4">{tag}{audit}</image>'


def write(path: Path, rows: Iterable[Row]) -> Path:
    path.write_text(xml(rows), encoding="utf-8")
    return path


def dataset(rows: Iterable[Row]) -> Dataset:
    """The same without a file."""
    builder = Builder()
    for name, label, attributes in rows:
        builder.add_image(name)
        builder.add(label, (), [], tag=True)
        builder.add("audit", tuple(attributes), list(attributes.values()), tag=True)
    return builder.build("test")
