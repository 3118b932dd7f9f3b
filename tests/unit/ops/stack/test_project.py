"""Which project a command works on, and that two projects share nothing."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from tests.paths import LABELS_EXAMPLE, ROOT

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack import backend, project, state


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A new home; the current folder is an empty one next to it."""
    for name in ("PULUMI_BACKEND_URL", project.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return Home(tmp_path / "home")


def _project(folder: Path, home: Home, *workspaces: str) -> project.Project:
    """A project that Pulumi worked on, with workspaces."""
    folder.mkdir(parents=True, exist_ok=True)
    project.write_program(folder)
    one = project.at(folder, home)
    project.prepare(one, home)
    stacks = one.state / ".pulumi" / "stacks" / "labelspace"
    stacks.mkdir(parents=True)
    for name in workspaces:
        (stacks / f"{name}.json").write_text("{}")
        one.settings_file(name).write_text("config: {}\n")
    return one


def test_an_empty_folder_has_the_project_of_the_home(home: Home) -> None:
    found = project.find(home)
    assert found == project.Project(home.root / "project", home.root)
    assert backend.state_folder(home) == home.state
    assert not home.root.exists()


def test_the_nearest_project_upward_is_found(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = _project(tmp_path / "team", home)
    inside = team.folder / "stacks" / "labels"
    (inside / "Pulumi.yaml").write_text("name: somebody-elses\nruntime: python\n")
    monkeypatch.chdir(inside)
    assert project.find(home) == team
    assert team.data.parent == home.projects


def test_the_variable_comes_first(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = _project(tmp_path / "team", home)
    monkeypatch.setenv(project.VARIABLE, str(team.folder))
    assert project.find(home) == team
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with pytest.raises(UsageError, match=r"LABELSPACE_PROJECT: .* has no Pulumi\.yaml named labelspace"):
        project.find(home)


def test_the_project_of_the_home_is_made_once(home: Home) -> None:
    project.prepare(project.find(home), home)
    program = home.own_project / "__main__.py"
    program.write_text("# changed by its user\n")
    project.prepare(project.find(home), home)
    assert program.read_text() == "# changed by its user\n"
    assert project.is_project(home.own_project)


@pytest.mark.parametrize("pin", ["labelspace==0.0.1", "labelspace[audit,scaleway] == 0.0.1 # team"])
def test_another_version_than_the_pinned_one_is_refused(home: Home, tmp_path: Path, pin: str) -> None:
    team = _project(tmp_path / "team", home)
    (team.folder / "requirements.txt").write_text(f"boto3\n{pin}\n")
    with pytest.raises(
        UsageError, match=r"it pins labelspace 0\.0\.1, and this is .*uvx --from labelspace==0"
    ):
        project.prepare(team, home)
    (team.folder / "requirements.txt").write_text(
        f"labelspace=={version('labelspace')}\nlabelspace-x==0.0.1\n"
    )
    project.prepare(team, home)


def test_two_projects_have_states_and_logins_of_their_own(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = _project(tmp_path / "a" / "team", home, "pets"), _project(tmp_path / "b" / "team", home)
    monkeypatch.chdir(one.folder)
    backend.save_url(home, "s3://team?region=fr-par")
    assert backend.current_url(home) == "s3://team?region=fr-par"
    monkeypatch.chdir(other.folder)
    assert backend.state_folder(home) == other.state
    assert len({one.state, other.state, home.state}) == 3
    assert state.names(home) == []


def test_the_state_that_pulumi_yaml_names_comes_before_a_login(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = _project(tmp_path / "team", home)
    monkeypatch.chdir(team.folder)
    backend.save_url(home, "s3://login")
    (team.folder / "Pulumi.yaml").write_text(
        "name: labelspace\nruntime: python\nbackend:\n  url: s3://team\n"
    )
    assert backend.current_url(home) == "s3://team"


def test_a_moved_project_keeps_its_state(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team = _project(tmp_path / "team", home, "pets")
    team.folder.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    assert project.find(home).data == team.data
    assert state.names(home) == ["pets"]


def test_a_copy_of_a_project_does_not_take_its_state(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = _project(tmp_path / "team", home, "pets")
    copy = tmp_path / "copy"
    copy.mkdir()
    project.write_program(copy)
    (copy / "stacks" / "Pulumi.pets.yaml").write_text("config: {}\n")
    monkeypatch.chdir(copy)
    assert project.find(home).data != team.data
    assert state.names(home) == []


def test_a_name_of_another_project_is_taken_and_its_workspace_is_found(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team, other = _project(tmp_path / "team", home, "pets"), _project(tmp_path / "other", home, "birds")
    monkeypatch.chdir(other.folder)
    state.must_be_free("birds", home)
    with pytest.raises(UsageError, match=f"'pets' is taken on this machine by the project in {team.folder}"):
        state.must_be_free("pets", home)
    with pytest.raises(UsageError, match=f"'pets' is a workspace of the project in {team.folder}"):
        state.must_exist("pets", home)


def test_two_clones_with_one_shared_state_are_one_project(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clones = [_project(tmp_path / name, home, "pets") for name in ("one", "two")]
    for clone in clones:
        monkeypatch.chdir(clone.folder)
        backend.save_url(home, "s3://team")
    state.must_be_free("pets", home)


def test_the_clone_has_the_program_and_the_example_of_the_template() -> None:
    assert (ROOT / "stacks" / "__main__.py").read_text() == project.template("program.txt")
    assert LABELS_EXAMPLE.read_text() == project.template("labels.yaml")
    for name in ("Pulumi.yaml", "team.yaml"):
        assert f"name: {project.NAME}\n" in project.template(name)
