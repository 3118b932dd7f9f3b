"""The command ``audit``: what the annotations say beyond their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labelspace_ops.cli.app import Json, app, say
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import METRICS, Choices


@app.command()
def audit(
    name: Annotated[str, typer.Argument(help="name of the workspace, with --project")] = "",
    *,
    project: Annotated[str, typer.Option(help="project of the workspace to audit as it is now")] = "",
    write_subset: Annotated[
        str, typer.Option(help="write the balanced set as this CVAT subset of the project")
    ] = "",
    annotations: Annotated[
        Path | None, typer.Option(help="a file, zip or folder: CVAT, Datumaro, COCO, YOLO, VOC, CSV ...")
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="an attribute that describes a condition; repeatable")
    ] = None,
    protected: Annotated[list[str] | None, typer.Option(help="a protected attribute; repeatable")] = None,
    additional: Annotated[
        list[str] | None, typer.Option(help="a label that only carries attributes; repeatable")
    ] = None,
    balance: Annotated[list[str] | None, typer.Option(help="balance over this attribute; repeatable")] = None,
    level: Annotated[str, typer.Option(help="object or image: what an item is")] = "",
    cluster: Annotated[str, typer.Option(help="attribute whose values say which items belong together")] = "",
    bins: Annotated[
        list[str] | None, typer.Option(help="bins of a number attribute: age=4 or age=18,40,65; repeatable")
    ] = None,
    unknown: Annotated[list[str] | None, typer.Option(help="a value that means unknown; repeatable")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV or parquet: image, prediction[, object, score]; or COCO results")
    ] = None,
    image_column: Annotated[str, typer.Option(help="column of the image in the predictions")] = "",
    prediction_column: Annotated[str, typer.Option(help="column of the predicted class")] = "",
    class_map: Annotated[
        list[str] | None, typer.Option(help="a predicted class and its name: 0=cat; repeatable")
    ] = None,
    iou: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="overlap of a predicted box and its object")
    ] = 0.5,
    metric: Annotated[list[str] | None, typer.Option(help="compare this between groups; repeatable")] = None,
    images: Annotated[Path | None, typer.Option(help="folder of the images: brightness, examples")] = None,
    compare: Annotated[Path | None, typer.Option(help="audit.json of an earlier audit")] = None,
    fail_on: Annotated[
        list[str] | None, typer.Option(help='exit with 3 when true: "gap(error, gender) > 0.05"')
    ] = None,
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report"),
    seed: Annotated[int, typer.Option(min=0, help="random seed of the balanced set and the tests")] = 0,
    alpha: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="significance level of all tests together")
    ] = 0.05,
    min_group: Annotated[int, typer.Option(min=1, help="ignore smaller groups")] = 30,
    as_json: Json = False,
) -> None:
    """Find spurious correlations and unequal error rates in annotations, and draw a balanced set."""
    given = {"annotations": annotations, "predictions": predictions, "images": images, "compare": compare}
    live = _workspace(name, project, annotations, write_subset)
    _check(given, level, metric)
    choices = Choices(
        tuple(condition or ()), tuple(protected or ()), tuple(additional or ()), tuple(balance or ()),
        seed, alpha, min_group, level, cluster, _pairs("bins", bins), tuple(unknown or ()),
        tuple(metric or METRICS),
    )  # fmt: skip
    mapped = _pairs("class-map", class_map)

    from labelspace_ops.audit import findings, gate
    from labelspace_ops.audit.predictions import Options

    for limit in fail_on or ():
        gate.check_limit(limit)
    earlier = gate.load(compare) if compare else None

    options = Options(image_column, prediction_column, mapped, iou)
    if live:
        from labelspace_ops.audit.live_project import LiveProject

        running = LiveProject(name, project)
        result = running.audit(choices, predictions, options)
    else:
        result = findings.audit_file(_require_export(annotations), choices, predictions, options, images)
    if earlier:
        result.found["compared"] = gate.compared(result.found, earlier)
    findings.write(result, out)
    if live and write_subset:
        running.write_subset(write_subset, result.found["balanced_set"]["files"])
    if as_json:
        typer.echo((out / "audit.json").read_text(encoding="utf-8"), nl=False)
    else:
        _print(result.found, out)
    broken = gate.exceeded(result.found, fail_on or [])
    for line in broken:
        say(line)
    if broken:
        raise typer.Exit(3)


def _check(paths: dict[str, Path | None], level: str, metrics: list[str] | None) -> None:
    """What needs no statistics is refused before they are loaded."""
    for option, path in paths.items():
        if path is not None and not path.exists():
            raise UsageError(f"{option}: {path}: no such file or folder; check the path")
    if level not in {"", "object", "image"}:
        raise UsageError(f"level: {level!r} is refused: choose object or image")
    for one in metrics or ():
        if one not in METRICS:
            raise UsageError(f"metric: {one!r} is refused: choose one of {', '.join(METRICS)}")


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` of each value."""
    found = {}
    for value in values or ():
        key, separator, rest = value.partition("=")
        if not separator or not key or not rest:
            raise UsageError(f"{option}: {value!r} is refused: write NAME=VALUE")
        found[key] = rest
    return found


def _workspace(name: str, project: str, annotations: Path | None, write_subset: str) -> bool:
    """Whether a project is audited in place; raises ``UsageError`` for half of each way."""
    if annotations is not None and (name or project):
        raise UsageError("annotations: either an export, or a workspace with --project: not both")
    if bool(name) != bool(project):
        raise UsageError(
            "project: give both the workspace and the project: `labelspace audit NAME --project PROJECT`"
        )
    if write_subset and not name:
        raise UsageError("write-subset: needs a project: `labelspace audit NAME --project PROJECT`")
    if not name:
        _require_export(annotations)
    return bool(name)


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
