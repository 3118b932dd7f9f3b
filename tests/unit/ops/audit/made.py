"""Exports in XML as CVAT writes them, with boxes, tags and subsets, for the cases that people met."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import NamedTuple

from labelspace_ops.audit import findings
from labelspace_ops.audit.findings import Audit
from labelspace_ops.audit.predictions import Options
from labelspace_ops.labels.audit_choices import Choices


class Mark(NamedTuple):
    """A box (by default) or a tag, with attributes."""

    label: str
    attributes: dict[str, str] = {}  # noqa: RUF012 - never changed
    kind: str = "box"
    box: tuple[float, float, float, float] = (1, 1, 5, 5)
    """Left, top, right, bottom."""


class Image(NamedTuple):
    """An image with its marks."""

    name: str
    marks: Iterable[Mark] = ()
    subset: str = ""
    size: tuple[int, int] = (9, 9)


def xml(images: Iterable[Image], schema: str = "") -> str:
    """An export; ``schema`` are <label> elements."""
    body = "".join(map(_image, images))
    meta = f"<meta><task><mode>annotation</mode><labels>{schema}</labels></task></meta>"
    return f"<annotations><version>1.1</version>{meta}{body}</annotations>"


def _image(one: Image) -> str:
    subset = f' subset="{one.subset}"' if one.subset else ""
    head = f'<image id="0" name="{escape(one.name)}" width="{one.size[0]}" height="{one.size[1]}"{subset}>'
    return head + "".join(map(_mark, one.marks)) + "</image>"


def _mark(one: Mark) -> str:
    own = "".join(
        f'<attribute name="{escape(name)}">{escape(value)}</attribute>'
        for name, value in one.attributes.items()
    )
    place = ""
    if one.kind == "box":
        edges = zip(("xtl", "ytl", "xbr", "ybr"), one.box, strict=True)
        place = ' occluded="0"' + "".join(f' {name}="{value}"' for name, value in edges)
    return f'<{one.kind} label="{escape(one.label)}" source="manual"{place}>{own}</{one.kind}>'


def run(
    folder: Path, images: Iterable[Image], predictions: str | None = None, *, schema: str = "",
    options: Options | None = None, one_namespace: bool = False, **choices: object,
) -> Audit:  # fmt: skip
    """The audit of an export, with the text of a CSV file of predictions."""
    export, csv = folder / "export.xml", folder / "predictions.csv"
    export.write_text(xml(images, schema), encoding="utf-8")
    if predictions is not None:
        csv.write_text(predictions, encoding="utf-8")
    wanted = Choices(**choices)  # type: ignore[arg-type]
    predicted = csv if predictions is not None else None
    return findings.audit_file(export, wanted, predicted, options, one_namespace=one_namespace)
