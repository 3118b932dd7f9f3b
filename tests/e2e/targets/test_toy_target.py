"""A target of its own package works in every command: nothing else has to know of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import Lab
from tests.e2e.targets import toy
from tests.paths import ROOT
from typer.testing import CliRunner

from labelspace import spec
from labelspace.targets import registry as deployments
from labelspace_ops.cli import main  # noqa: F401 - registers the commands
from labelspace_ops.cli.app import app
from labelspace_ops.targets import registry

Command = Callable[..., Any]
SOURCE = Path(toy.__file__)


@pytest.fixture(scope="module")
def labelspace(lab: Lab) -> Iterator[Command]:
    patch = pytest.MonkeyPatch()
    for key, value in lab.env().items():
        patch.setenv(key, value)
    patch.setitem(sys.modules, "toy_target", toy)
    patch.setitem(spec.SPECS, "toy", toy.ToySpec)
    patch.setitem(deployments._MODULES, "toy", "toy_target")
    patch.setitem(registry._CLASSES, "toy", "toy_target:ToyTarget")
    runner = CliRunner()
    yield lambda *words, **given: runner.invoke(app, [*words], **given)
    patch.undo()
    for file in ROOT.glob("stacks/Pulumi.toy-pets*.yaml"):
        file.unlink()


def answer(labelspace: Command, *words: str) -> Any:
    done = labelspace(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_life_of_a_workspace(labelspace: Command) -> None:
    made = labelspace("create", "toy-pets", "--yes", "--target", "toy", "--bucket", "cats", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["status"] == "ready"
    assert answer(labelspace, "status", "toy-pets")["url"] == "http://toy-pets.toy"
    assert {"name": "toy-pets", "target": "toy", "status": "ready", "url": "http://toy-pets.toy"} in answer(
        labelspace, "list"
    )
    assert answer(labelspace, "stop", "toy-pets") == {
        "name": "toy-pets", "status": "stopped", "backed_up": True, "backups": "memory",
    }  # fmt: skip
    assert labelspace("status", "toy-pets").exit_code == 1
    assert answer(labelspace, "start", "toy-pets")["status"] == "ready"
    assert answer(labelspace, "backup", "toy-pets")["id"] == "backup-1"
    listed = answer(labelspace, "backups", "toy-pets")
    assert [row["id"] for row in listed["backups"]] == ["backup-0", "backup-1"]
    reviewed = answer(labelspace, "preview", "toy-pets", "description=dogs")
    assert reviewed["notes"][0] == "nothing outlives the process"
    assert [change["key"] for change in reviewed["settings"]] == ["description"]
    deleted = answer(labelspace, "delete", "toy-pets", "--yes")
    assert (deleted["last_backup"], deleted["backups"]) == ("backup-2", "memory")
    assert "toy-pets" not in [row["name"] for row in answer(labelspace, "list")]


def test_what_it_cannot_do_is_refused(labelspace: Command) -> None:
    made = labelspace("create", "toy-pets2", "--yes", "--target", "toy", "--bucket", "cats", "--port", "8090")
    assert "port: is for target local: leave it out" in str(made.exception)


def test_a_target_fits_on_two_pages() -> None:
    assert len(SOURCE.read_text().splitlines()) <= 150
