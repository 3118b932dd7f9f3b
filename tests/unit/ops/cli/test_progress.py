"""``--progress json``: standard error is one JSON object a line, each an event."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelspace_ops.cli import app as cli_app
from labelspace_ops.cli.main import main
from labelspace_ops.core import reporting
from labelspace_ops.core.reporting import Event, Failed, Message, ReadinessStep, ResourceDone, emit


@pytest.fixture(autouse=True)
def _text_again() -> Iterator[None]:
    yield
    cli_app.choose_progress("text")


def _run(monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> int:
    monkeypatch.setenv("LABELSPACE_HOME", str(home))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["labelspace", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


@pytest.mark.parametrize("command", [("stop", "nobody"), ("drill", "nobody"), ("start", "nobody")])
def test_every_line_is_an_event(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, str],
) -> None:
    assert _run(monkeypatch, tmp_path, *command, "--progress", "json") == 2
    lines = capsys.readouterr().err.splitlines()
    events = [reporting.from_record(json.loads(line)) for line in lines]
    assert isinstance(events[-1], Failed)
    assert "'nobody': no such workspace" in events[-1].reason


def test_another_format_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, tmp_path, "stop", "nobody", "--progress", "xml") == 2
    assert "progress: 'xml' is refused: choose text or json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("event", "record"),
    [
        (Message("a line"), {"type": "Message", "text": "a line"}),
        (
            ResourceDone(3, "container", "street-ui", "made"),
            {"type": "ResourceDone", "count": 3, "kind": "container", "name": "street-ui", "action": "made"},
        ),
        (ReadinessStep("health", "ok"), {"type": "ReadinessStep", "step": "health", "detail": "ok"}),
    ],
)
def test_events_of_an_update_are_printed_as_json(
    capsys: pytest.CaptureFixture[str], event: Event, record: dict[str, object]
) -> None:
    cli_app.choose_progress("json")
    with reporting.listening(cli_app.print_event):
        emit(event)
    assert json.loads(capsys.readouterr().err) == record
