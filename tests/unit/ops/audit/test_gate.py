"""Limits for continuous integration, and the comparison with an earlier audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.ops.audit.made import Image, Mark, run
from typer.testing import CliRunner

from labelspace_ops.audit import charts, gate, limits
from labelspace_ops.audit.results import AuditReport
from labelspace_ops.cli import main  # noqa: F401 - registers the commands
from labelspace_ops.cli.app import app
from labelspace_ops.core.errors import UsageError


def found(folder: Path, wrong: int = 20) -> AuditReport:
    images, lines = [], ["image,prediction"]
    for n in range(200):
        label, other = ("cat", "dog") if n % 2 else ("dog", "cat")
        light = "night" if n < 100 else "day"
        images.append(
            Image(f"{n}.jpg", [Mark(label, kind="tag"), Mark("audit", {"light": light}, kind="tag")])
        )
        lines.append(f"{n}.jpg,{other if n < wrong else label}")
    return run(folder, images, "\n".join(lines)).report


def test_a_limit_that_is_broken_says_the_number(tmp_path: Path) -> None:
    made = found(tmp_path)
    assert gate.exceeded(made, ["error > 0.2", "gap(error, light) > 0.25", "suspicious > 0"]) == []
    [said] = gate.exceeded(made, ["gap(error, light) > 0.05"])
    assert said.startswith(
        "fail-on: gap(error, light) > 0.05: it is 0.2 (light: night is wrong 20.0 percentage points"
    )
    assert len(gate.exceeded(made, ["error >= 0.1", "items < 500"])) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gap > 1",
        "gap(error) > 1",
        "error(x) > 1",
        "error = 1",
        "error > 1.2.3",
        "error > .",
        "f(a, b) > 1",
        "gap(error, light, cat, x) > 1",
    ],
)
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        limits.parse(text)


def test_a_gap_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not in the audit; it has: .*gap\(error, light\)"):
        gate.exceeded(found(tmp_path), ["gap(error, weather) > 0.1"])


def test_what_changed_is_said(tmp_path: Path) -> None:
    old, new = found(tmp_path), found(tmp_path, wrong=60)
    said = gate.compared(new, old.as_json()).sentences
    assert "the error rate of all items: 10.0 % before, 30.0 % now" in said
    assert "the largest difference in error rate by light: 20.0 % before, 60.0 % now" in said
    assert gate.compared(old, old.as_json()).sentences == ["items: 200 before, 200 now"]
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match=r"is no audit\.json"):
        gate.load(tmp_path / "x.json")


def test_the_command_exits_with_three_and_compares(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    old = found(tmp_path)
    (tmp_path / "old.json").write_text(json.dumps(old.as_json()))
    arguments = [
        "audit",
        "--annotations",
        str(tmp_path / "export.xml"),
        "--predictions",
        str(tmp_path / "predictions.csv"),
        "--out",
        str(tmp_path / "out"),
    ]
    result = CliRunner().invoke(
        app, [*arguments, "--fail-on", "error > 0.05", "--compare", str(tmp_path / "old.json")]
    )
    assert result.exit_code == 3
    assert "it is 0.1" in result.output
    assert "Against the earlier audit" in (tmp_path / "out" / "report.html").read_text()
    assert CliRunner().invoke(app, [*arguments, "--fail-on", "error > 0.5"]).exit_code == 0


@pytest.mark.parametrize(
    ("most", "limit", "step"),
    [
        (0.031, 0.04, 0.01),
        (0.07, 0.08, 0.02),
        (0.3, 0.3, 0.1),
        (0.41, 0.5, 0.1),
        (0.97, 1.0, 0.2),
        (1.0, 1.0, 0.2),
    ],
)
def test_ticks_are_round(most: float, limit: float, step: float) -> None:
    assert charts.scale(most) == pytest.approx((limit, step))


def test_a_limit_may_name_a_difference_that_is_stated_otherwise(tmp_path: Path) -> None:
    """All of one class by night are missed: its recall, and the false positives of the other class."""
    images, lines = [], ["image,prediction"]
    for n in range(240):
        label, light = ("cat", "dog")[n % 2], ("day", "night")[n // 2 % 2]
        images.append(Image(f"{n}.jpg", [Mark(label, {"light": light}, kind="tag")]))
        lines.append(f"{n}.jpg,{'dog' if light == 'night' else label}")
    made = run(tmp_path, images, "\n".join(lines), protected=("light",)).report
    cat = ["gap(recall, light, cat) >= 1", "gap(false_negative_rate, light, cat) >= 1"]
    dog = ["gap(false_positive_rate, light, dog) >= 1", "gap(selection_rate, light, dog) >= 0.5"]
    either = ["gap(recall, light) >= 1", "gap(false_positive_rate, light) >= 1"]
    assert len(gate.exceeded(made, [*cat, *dog, *either])) == 6
    right = ["gap(recall, light, dog) > 0", "gap(false_positive_rate, light, cat) > 0"]
    assert gate.exceeded(made, right) == []
