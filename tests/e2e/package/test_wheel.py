"""The main job from the wheel alone, in an empty folder, and a team's project next to it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import ports
from tests.e2e.package.conftest import Person
from tests.paths import ROOT

SIZE_LIMIT_MB = 200


@dataclass
class Made:
    """A workspace in the home's own project, made from an empty folder."""

    person: Person
    folder: Path
    name: str
    measured: Any


@pytest.fixture(scope="module")
def made(person: Person) -> Iterator[Made]:
    folder, name = person.make("empty"), f"w{secrets.token_hex(3)}"
    try:
        measured = person.json(folder, "create", name, "--bucket", f"{name}-photos", "--yes", *ports())
        yield Made(person, folder, name, measured)
    finally:
        person.run(folder, "labelspace", "delete", name, "--purge", stdin=f"{name}\n")


@dataclass
class Team:
    """A team's repository with a workspace in it."""

    person: Person
    folder: Path
    name: str


@pytest.fixture(scope="module")
def team(person: Person) -> Iterator[Team]:
    folder, name = person.make("repository"), f"v{secrets.token_hex(3)}"
    (folder / ".gitignore").write_text("*.log")
    (folder / ".gitignore").chmod(0o666)
    person.json(folder, "init")
    try:
        person.json(folder, "create", name, "--bucket", f"{name}-photos", "--yes", *ports())
        yield Team(person, folder, name)
    finally:
        person.run(folder, "labelspace", "delete", name, "--purge", stdin=f"{name}\n")


def test_the_core_is_small(person: Person) -> None:
    files = (path for path in (person.folder / "environment").rglob("*") if not path.is_symlink())
    size = sum(path.stat().st_size for path in files if path.is_file()) / 1e6
    assert size < SIZE_LIMIT_MB


def test_the_program_has_the_locked_version(person: Person) -> None:
    program = person.home.pulumi_root / "bin" / "pulumi"
    done = person.run(person.folder, str(program), "version", PULUMI_SKIP_UPDATE_CHECK="true")
    assert done.stdout.strip() == f"v{version('pulumi')}"


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("console", "--no-browser"), "console"),
        (("audit", "--annotations", "annotations.json"), "audit"),
        (("create", "cloudy", "--target", "scaleway", "--bucket", "cloudy-photos", "--yes"), "scaleway"),
        (("doctor", "--target", "scaleway"), "scaleway"),
    ],
)
def test_a_command_says_which_extra_it_misses(person: Person, command: tuple[str, ...], extra: str) -> None:
    folder = person.home.root.parent
    (folder / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}')
    done = person.run(folder, "labelspace", *command)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"`pip install 'labelspace[{extra}]'`" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_the_clone_is_in_reach(person: Person) -> None:
    names = "labelspace.__file__, labelspace_ops.__file__, sys.path"
    text = f"import labelspace, labelspace_ops, sys; print({names})"
    done = person.run(person.folder, "python", "-c", text)
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout
    assert str(person.folder / "environment") in done.stdout


def test_create_from_an_empty_folder_leaves_it_empty(made: Made) -> None:
    assert made.measured["status"] == "ready"
    assert list(made.folder.iterdir()) == []
    project = made.person.home.own_project
    assert (project / "stacks" / f"Pulumi.{made.name}.yaml").is_file()
    assert [one["name"] for one in made.person.json(made.folder, "list")] == [made.name]


def test_upload_stop_and_start(made: Made) -> None:
    photos = made.person.make("pictures")
    written = made.person.json(made.folder, "samples", str(photos))["files"]
    sent = made.person.json(made.folder, "upload", made.name, str(photos), "--bucket", f"{made.name}-photos")
    assert sent["uploaded"] == len(written) > 0
    made.person.json(made.folder, "stop", made.name)
    measured = made.person.json(made.folder, "start", made.name)
    assert measured["status"] == "ready"
    assert measured["buckets"][0]["objects"] == len(written)


def test_plain_pulumi_runs_the_program_of_the_home(made: Made) -> None:
    home = made.person.home
    url = made.person.json(made.folder, "login")["backend"]
    done = made.person.run(
        home.own_project, str(home.pulumi_root / "bin" / "pulumi"), "preview", "--stack", made.name,
        "--expect-no-changes", "--non-interactive", PULUMI_BACKEND_URL=url, PULUMI_HOME=str(home.pulumi_home),
        PULUMI_CONFIG_PASSPHRASE_FILE=str(home.passphrase), PULUMI_SKIP_UPDATE_CHECK="true",
        PATH=f"{home.pulumi_root / 'bin'}:{made.person.env()['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_doctor_passes_and_names_project_and_plugins(made: Made) -> None:
    checks = {one["name"]: one for one in made.person.json(made.folder, "doctor")}
    assert [name for name, check in checks.items() if not check["ok"]] == []
    assert checks["project"]["detail"] == str(made.person.home.own_project)
    assert checks["plugins"]["detail"].startswith("docker ")


def test_init_makes_what_a_team_commits(team: Team) -> None:
    assert (team.folder / "requirements.txt").read_text() == f"labelspace=={version('labelspace')}\n"
    assert (team.folder / ".gitignore").read_text() == "*.log\n.venv/\n__pycache__/\n"
    assert (team.folder / ".github" / "workflows" / "labelspace-preview.yml").is_file()
    assert json.loads((team.folder / "stacks" / "labels" / "schema.json").read_text())
    done = team.person.run(team.folder, "labelspace", "init")
    assert done.returncode == 2
    assert f"{team.folder / 'Pulumi.yaml'} exists" in done.stderr


def test_two_projects_do_not_mix(made: Made, team: Team) -> None:
    assert [one["name"] for one in made.person.json(made.folder, "list")] == [made.name]
    assert [one["name"] for one in team.person.json(team.folder, "list")] == [team.name]
    assert (team.folder / "stacks" / f"Pulumi.{team.name}.yaml").is_file()
    assert not (made.person.home.own_project / "stacks" / f"Pulumi.{team.name}.yaml").exists()


def test_a_name_of_another_project_is_taken(made: Made, team: Team) -> None:
    there = team.person.run(team.folder, "labelspace", "create", made.name, "--bucket", "other", "--yes")
    assert there.returncode == 2
    assert f"taken on this machine by the project in {made.person.home.own_project}" in there.stderr
    here = made.person.run(made.folder, "labelspace", "status", team.name)
    assert here.returncode == 2
    assert f"a workspace of the project in {team.folder}" in here.stderr
    named = made.person.run(
        made.folder, "labelspace", "status", team.name, LABELSPACE_PROJECT=str(team.folder)
    )
    assert named.returncode == 0, named.stderr


def test_a_project_that_is_moved_keeps_its_workspaces(team: Team) -> None:
    away = team.folder.with_name("moved-repository")
    team.folder.rename(away)
    try:
        assert [one["name"] for one in team.person.json(away, "list")] == [team.name]
    finally:
        away.rename(team.folder)
    assert [one["name"] for one in team.person.json(team.folder, "list")] == [team.name]


def test_delete_in_a_project_whose_environment_is_not_there(team: Team) -> None:
    assert not (team.folder / ".venv").exists()
    deleted = team.person.json(team.folder, "delete", team.name, "--purge", stdin=f"{team.name}\n")
    assert deleted["purged"]
    assert team.person.json(team.folder, "list") == []


def test_delete_of_the_first_project(made: Made) -> None:
    deleted = made.person.json(made.folder, "delete", made.name, "--yes")
    assert deleted["backed_up"]
    listed = made.person.json(made.folder, "list", "--all")
    assert {row["name"]: row["status"] for row in listed}[made.name] == "deleted"
