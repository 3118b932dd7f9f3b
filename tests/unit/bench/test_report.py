"""The bench's verdicts and what it prints: no figure is taken here."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from bench import __main__ as bench
from bench.report import COLUMNS, Report, cell_row
from bench.rows import Bound, Row


@pytest.mark.parametrize(
    ("row", "passed"),
    [
        (Row("a", 0.5, "s", bound=Bound(0.5)), True),
        (Row("a", 0.51, "s", bound=Bound(0.5)), False),
        (Row("a", 90, "s", "peer", 100, Bound(0.9, of="ratio")), True),
        (Row("a", 91, "s", "peer", 100, Bound(0.9, of="ratio")), False),
        (Row("a", 101, "MB/s", "peer", 100, Bound(1.0, of="ratio", side=">=")), True),
        (Row("a", 99, "MB/s", "peer", 100, Bound(1.0, of="ratio", side=">=")), False),
        (Row("a", 1, "s", "peer", None, Bound(1.0, of="ratio")), False),
        (Row("a", 1, "s", "peer", 2), None),
    ],
)
def test_a_bound_is_kept_or_missed(row: Row, passed: bool | None) -> None:
    assert row.passed is passed
    assert row.verdict == {True: "passed", False: "MISSED", None: ""}[passed]
    assert row.as_json()["passed"] is passed


def test_a_row_reads_as_its_columns() -> None:
    row = Row("start", 91.26, "s", "by hand", 100.0, Bound(0.9, of="ratio"), runs=[91.26])
    cells = dict(zip(COLUMNS, cell_row("create", row), strict=True))
    assert cells == {
        "bench": "create",
        "what": "start",
        "figure": "91.3 s",
        "peer": "100 s (by hand)",
        "ratio": "0.91",
        "bound": "ratio <= 0.9",
        "verdict": "MISSED",
    }


def test_a_miss_and_a_failure_are_said_and_end_with_1() -> None:
    kept, missed = Row("kept", 1, "s", bound=Bound(2)), Row("slow", 3, "s", bound=Bound(2))
    report = Report(rows={"one": [kept]})
    assert (report.exit_code, report.summary()) == (0, ["every bound holds"])
    report.rows["two"] = [missed]
    assert report.exit_code == 1
    report.failed["three"] = "no engine"
    assert report.as_markdown().splitlines()[-2:] == [
        "MISSED: slow: 3 s, bound value <= 2",
        "NOT RUN: three: no engine",
    ]
    said = json.loads(json.dumps(report.as_json()))
    assert said["missed"] == ["slow"]
    assert [row["bench"] for row in said["rows"]] == ["one", "two"]


def test_one_bench_that_fails_keeps_no_other_from_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Module:
        def __init__(self, name: str) -> None:
            self.name = name

        def measure(self, _: Any) -> list[Row]:
            if self.name == "bench.memory":
                raise RuntimeError("no engine")
            return [Row(self.name, 1, "s", bound=Bound(2))]

    monkeypatch.setattr("importlib.import_module", Module)
    monkeypatch.setattr(bench, "Bench", lambda *_: nullcontext())
    out = tmp_path / "figures.json"
    assert bench.main(["memory", "upload", "--json", "--out", str(out)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["failed"] == {"memory": "RuntimeError: no engine"}
    assert [row["what"] for row in said["rows"]] == ["bench.upload"]
    assert json.loads(out.read_text())["rows"] == said["rows"]


def test_every_bench_is_there() -> None:
    folder = Path(bench.__file__).parent
    assert all((folder / f"{name}.py").exists() for name in bench.BENCHES)
