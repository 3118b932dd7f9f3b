"""The command ``audit``: bias and balance of annotations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.cli.app import Json, app, say
from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace_ops.audit.live_project import LiveProject


@app.command()
def audit(
    name: Annotated[str, typer.Argument(help="name of the workspace, with --project")] = "",
    *,
    project: Annotated[str, typer.Option(help="project of the workspace to audit")] = "",
    write_subset: Annotated[
        str, typer.Option(help="write the balanced set as this CVAT subset of the project")
    ] = "",
    annotations: Annotated[
        Path | None, typer.Option(help="an export: CVAT for images 1.1, Datumaro or COCO")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="an attribute that describes a condition; repeatable")
    ] = None,
    protected: Annotated[list[str] | None, typer.Option(help="a protected attribute; repeatable")] = None,
    additional: Annotated[
        list[str] | None, typer.Option(help="a label that only carries attributes; repeatable")
    ] = None,
    balance: Annotated[list[str] | None, typer.Option(help="balance over this attribute; repeatable")] = None,
    predictions: Annotated[Path | None, typer.Option(help="CSV: image, prediction[, object, score]")] = None,
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report"),
    seed: Annotated[int, typer.Option(min=0, help="random seed of the balanced set and the intervals")] = 0,
    alpha: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="significance level of all tests together")
    ] = 0.05,
    min_group: Annotated[int, typer.Option(min=1, help="ignore smaller groups")] = 30,
    as_json: Json = False,
) -> None:
    """Find spurious correlations and unequal error rates in annotations, and draw a balanced set."""
    from labelspace_ops.audit import findings
    from labelspace_ops.labels.audit_choices import Choices

    choices = Choices(
        tuple(condition or ()), tuple(protected or ()), tuple(additional or ()), tuple(balance or ()),
        seed, alpha, min_group,
    )  # fmt: skip
    live_project = _live_project(name, project, annotations, write_subset)
    if live_project is None:
        result = findings.audit_file(_require_export(annotations), choices, predictions)
    else:
        result = live_project.audit(choices, predictions)
    findings.write(result, out)
    if live_project is not None and write_subset:
        live_project.write_subset(write_subset, result.found["balanced_set"]["files"])
    if as_json:
        typer.echo((out / "audit.json").read_text(encoding="utf-8"), nl=False)
    else:
        _print(result.found, out)


def _live_project(name: str, project: str, annotations: Path | None, write_subset: str) -> LiveProject | None:
    """Return the project to audit, None for an export; raises ``UsageError`` for incomplete arguments."""
    from labelspace_ops.audit.live_project import LiveProject

    if annotations is not None and (name or project):
        raise UsageError(
            "annotations: give either an export (--annotations), or a workspace with --project, not both"
        )
    if bool(name) != bool(project):
        raise UsageError(
            "project: give both the workspace and the project: `labelspace audit NAME --project PROJECT`"
        )
    if write_subset and not name:
        raise UsageError("write-subset: needs a project: `labelspace audit NAME --project PROJECT`")
    return LiveProject(name, project, say) if name else None


def _require_export(annotations: Path | None) -> Path:
    if annotations is None:
        raise UsageError(
            "annotations: missing: `labelspace audit NAME --project PROJECT`, or an export with"
            " --annotations export.zip"
        )
    return annotations


def _print(found: dict[str, Any], out: Path) -> None:
    from labelspace_ops.audit import findings, tables

    tables.show(found)
    others = [str(out / name) for name in findings.FILES if name != "report.html"]
    say(f"\n  report     {out / 'report.html'}")
    say(f"  also       {', '.join(others)}")
