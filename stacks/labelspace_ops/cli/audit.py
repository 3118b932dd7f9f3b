"""The command ``audit``: what the annotations say beyond their labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labelspace_ops.cli.app import Json, app, say
from labelspace_ops.cli.flags import with_flags
from labelspace_ops.cli.own_stack import on_any_stack
from labelspace_ops.core.errors import UsageError
from labelspace_ops.labels.audit_choices import METRICS, Choices

if TYPE_CHECKING:
    from labelspace_ops.audit.results import AuditReport


@dataclass(frozen=True)
class AuditFlags:
    """The options of ``audit``."""

    project: Annotated[str, typer.Option(help="project of the workspace to audit as it is now")] = ""
    write_subset: Annotated[
        str, typer.Option(help="write the balanced set as this CVAT subset of the project")
    ] = ""
    annotations: Annotated[
        Path | None, typer.Option(help="a file, zip or folder: CVAT, Datumaro, COCO, YOLO, VOC, CSV ...")
    ] = None
    condition: Annotated[
        list[str] | None, typer.Option(help="an attribute that describes a condition; repeatable")
    ] = None
    protected: Annotated[list[str] | None, typer.Option(help="a protected attribute; repeatable")] = None
    additional: Annotated[
        list[str] | None, typer.Option(help="a label that only carries attributes; repeatable")
    ] = None
    balance: Annotated[list[str] | None, typer.Option(help="balance over this attribute; repeatable")] = None
    level: Annotated[str, typer.Option(help="object or image: what an item is")] = ""
    cluster: Annotated[str, typer.Option(help="attribute whose values say which items belong together")] = ""
    bins: Annotated[
        list[str] | None, typer.Option(help="bins of a number attribute: age=4 or age=18,40,65; repeatable")
    ] = None
    unknown: Annotated[list[str] | None, typer.Option(help="a value that means unknown; repeatable")] = None
    predictions: Annotated[
        Path | None, typer.Option(help="CSV or parquet: image, prediction[, object, score]; or COCO results")
    ] = None
    image_column: Annotated[str, typer.Option(help="column of the image in the predictions")] = ""
    prediction_column: Annotated[str, typer.Option(help="column of the predicted class")] = ""
    class_map: Annotated[
        list[str] | None, typer.Option(help="a predicted class and its name: 0=cat; repeatable")
    ] = None
    iou: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="overlap of a predicted box and its object")
    ] = 0.5
    metric: Annotated[list[str] | None, typer.Option(help="compare this between groups; repeatable")] = None
    images: Annotated[Path | None, typer.Option(help="folder of the images: brightness, examples")] = None
    compare: Annotated[Path | None, typer.Option(help="audit.json of an earlier audit")] = None
    fail_on: Annotated[
        list[str] | None, typer.Option(help='exit with 3 when true: "gap(error, gender) > 0.05"')
    ] = None
    out: Annotated[Path, typer.Option(help="folder of the report")] = Path("report")
    seed: Annotated[int, typer.Option(min=0, help="random seed of the balanced set and the tests")] = 0
    alpha: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="significance level of all tests together")
    ] = 0.05
    min_group: Annotated[int, typer.Option(min=1, help="ignore smaller groups")] = 30

    def check(self, name: str) -> None:
        """Raise ``UsageError`` for what can be refused before the statistics are loaded."""
        self._check_source(name)
        for option in ("annotations", "predictions", "images", "compare"):
            path = getattr(self, option)
            if path is not None and not path.exists():
                raise UsageError(f"{option}: {path}: no such file or folder; check the path")
        if self.level not in {"", "object", "image"}:
            raise UsageError(f"level: {self.level!r} is refused: choose object or image")
        for one in self.metric or ():
            if one not in METRICS:
                raise UsageError(f"metric: {one!r} is refused: choose one of {', '.join(METRICS)}")

    def _check_source(self, name: str) -> None:
        if self.annotations is not None and (name or self.project):
            raise UsageError("annotations: either an export, or a workspace with --project: not both")
        if bool(name) != bool(self.project):
            raise UsageError(
                "project: give both the workspace and the project: `labelspace audit NAME --project PROJECT`"
            )
        if self.write_subset and not name:
            raise UsageError("write-subset: needs a project: `labelspace audit NAME --project PROJECT`")
        if self.annotations is None and not name:
            raise UsageError(
                "annotations: missing: `labelspace audit NAME --project PROJECT`, or an export with"
                " --annotations export.zip"
            )

    def choices(self) -> Choices:
        """Return what is audited and how."""
        return Choices(
            tuple(self.condition or ()), tuple(self.protected or ()), tuple(self.additional or ()),
            tuple(self.balance or ()), self.seed, self.alpha, self.min_group, self.level, self.cluster,
            _pairs("bins", self.bins), tuple(self.unknown or ()), tuple(self.metric or METRICS),
        )  # fmt: skip


@app.command()
@on_any_stack
@with_flags(AuditFlags)
def audit(
    name: Annotated[str, typer.Argument(help="name of the workspace, with --project")] = "",
    *,
    flags: AuditFlags,
    as_json: Json = False,
) -> None:
    """Find spurious correlations and unequal error rates in annotations, and draw a balanced set."""
    flags.check(name)
    choices, class_map = flags.choices(), _pairs("class-map", flags.class_map)

    from labelspace_ops.audit import limits

    for limit in flags.fail_on or ():
        limits.parse(limit)

    from labelspace_ops.audit import findings, gate
    from labelspace_ops.audit.predictions import Options

    earlier = gate.load(flags.compare) if flags.compare else None
    options = Options(flags.image_column, flags.prediction_column, class_map, flags.iou)
    if flags.annotations:
        result = findings.audit_file(flags.annotations, choices, flags.predictions, options, flags.images)
    else:
        from labelspace_ops.audit.live_project import LiveProject

        live = LiveProject(name, flags.project)
        result = live.audit(choices, flags.predictions, options)
    if earlier:
        result.report.compared = gate.compared(result.report, earlier)
    findings.write(result, flags.out)
    if flags.write_subset:
        live.write_subset(flags.write_subset, result.report.balanced_set.files)
    if as_json:
        typer.echo((flags.out / "audit.json").read_text(encoding="utf-8"), nl=False)
    else:
        _print(result.report, flags.out)
    _exit_when_exceeded(gate.exceeded(result.report, flags.fail_on or []))


def _exit_when_exceeded(limits: list[str]) -> None:
    for line in limits:
        say(line)
    if limits:
        raise typer.Exit(3)


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` of each value."""
    found = {}
    for value in values or ():
        key, separator, rest = value.partition("=")
        if not separator or not key or not rest:
            raise UsageError(f"{option}: {value!r} is refused: write NAME=VALUE")
        found[key] = rest
    return found


def _print(found: AuditReport, out: Path) -> None:
    from labelspace_ops.audit import findings, terminal

    terminal.show(found)
    others = [str(out / name) for name in findings.FILES if name != "report.html"]
    say(f"\n  report     {out / 'report.html'}")
    say(f"  also       {', '.join(others)}")
