"""Journals of jobs belong to the project that the jobs worked on."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.jobs import store
from labelspace_ops.stack import project


def test_jobs_of_another_project_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, team = Home(tmp_path / "home"), tmp_path / "team"
    project.write_program(team)
    home.jobs.mkdir(parents=True)
    for name, folder in (("pets", home.own_project), ("birds", team)):
        with (home.jobs / f"{name}.jsonl").open("w") as journal:
            record = store.Record(verb="create", arguments=[], project=str(folder))
            store.write_record(journal, record)
    (home.jobs / "torn.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    assert store.names(home) == ["pets"]
    monkeypatch.chdir(team)
    assert store.names(home) == ["birds"]
