"""The reference is what the code says, and a stale one is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main
from docs import generate

from labelspace_ops.cli.app import app
from labelspace_ops.workspaces import models


def test_it_is_as_the_code_says() -> None:
    assert generate.main(["--check"]) == 0


def test_a_new_command_makes_it_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def polish(name: str) -> None:
        """Polish a workspace."""

    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    app.command()(polish)
    assert generate.main(["--check"]) == 1
    assert "commands.md not as the code says: run `make docs`" in capsys.readouterr().err


def test_a_missing_page_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.main([]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(generate.PAGES)


@pytest.mark.parametrize("page", ["settings", "json", "outputs"])
def test_nothing_is_left_without_its_meaning(page: str) -> None:
    rows = [row for row in (generate.FOLDER / f"{page}.md").read_text().splitlines() if row.startswith("| `")]
    assert len(rows) > 10
    assert [row for row in rows if row.endswith("|  |")] == []


def test_what_promises_json_takes_the_flag() -> None:
    commands = dict(generate.walk(typer.main.get_command(app)))
    assert models.PRINTED.keys() <= {
        path for path, one in commands.items() if any("--json" in param.opts for param in one.params)
    }


def test_errors_of_settings_and_of_waiting_are_listed() -> None:
    text = (generate.FOLDER / "errors.md").read_text()
    assert "| port and s3_port are both {port}: give two different ports | 2 |" in text
    assert "| {name}: {describe_running}: wait until it ends | 1 |" in text
