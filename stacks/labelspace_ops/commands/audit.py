"""The command ``audit``: what the annotations say beyond their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labelspace_ops.commands.app import Json, app, say
from labelspace_ops.errors import UsageError


@app.command()
def audit(
    *,
    annotations: Annotated[
        Path | None, typer.Option(help="an export: CVAT for images 1.1, Datumaro or COCO")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="an attribute that is a condition; again for more")
    ] = None,
    protected: Annotated[list[str] | None, typer.Option(help="a protected attribute; again for more")] = None,
    additional: Annotated[list[str] | None, typer.Option(help="a label that only carries attributes")] = None,
    balance: Annotated[
        list[str] | None, typer.Option(help="balance over this attribute; again for more")
    ] = None,
    predictions: Annotated[Path | None, typer.Option(help="CSV: image, prediction[, object, score]")] = None,
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report"),
    seed: Annotated[int, typer.Option(min=0, help="draws the balanced set and the intervals")] = 0,
    alpha: Annotated[float, typer.Option(min=0.0, max=1.0, help="level of the tests, all together")] = 0.05,
    min_group: Annotated[int, typer.Option(min=1, help="smaller groups are not judged")] = 30,
    as_json: Json = False,
) -> None:
    """Find what goes with a class by accident, who is misjudged, and how to balance."""
    from labelspace_ops.audit import findings
    from labelspace_ops.audit.items import Choices

    if annotations is None:
        raise UsageError(
            "annotations: which ones? Export the project from CVAT and give --annotations export.zip"
        )
    choices = Choices(
        tuple(condition or ()), tuple(protected or ()), tuple(additional or ()), tuple(balance or ()),
        seed, alpha, min_group,
    )  # fmt: skip
    result = findings.audit_file(annotations, choices, predictions)
    findings.write(result, out)
    if as_json:
        typer.echo((out / "audit.json").read_text(encoding="utf-8"), nl=False)
    else:
        _print(result.found, out)


def _print(found: dict[str, Any], out: Path) -> None:
    from labelspace_ops.audit import findings, tables

    tables.show(found)
    others = [str(out / name) for name in findings.FILES if name != "report.html"]
    say(f"\n  report     {out / 'report.html'}")
    say(f"  also       {', '.join(others)}")
