"""What ``labelspace init`` writes into a team's repository."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import project, team_project

PINNED = f"labelspace[audit,scaleway]=={version('labelspace')}\n"


def test_an_empty_folder_becomes_a_project(tmp_path: Path) -> None:
    written = team_project.create(tmp_path, ["audit", "scaleway"])
    assert project.is_project(tmp_path)
    assert (tmp_path / "requirements.txt").read_text() == PINNED
    assert all((tmp_path / path).is_file() for path in written)
    assert {str(path) for path in written} == {
        *("Pulumi.yaml", "__main__.py", "requirements.txt", ".gitignore"),
        ".github/workflows/labelspace-preview.yml",
    }


def test_lines_that_a_repository_has_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n.venv/")
    (tmp_path / "requirements.txt").write_text("labelspace==0.0.9\n")
    written = team_project.create(tmp_path, [])
    assert (tmp_path / ".gitignore").read_text() == "*.log\n.venv/\n__pycache__/\n"
    assert (tmp_path / "requirements.txt").read_text() == "labelspace==0.0.9\n"
    assert Path("requirements.txt") not in written


@pytest.mark.parametrize("name", ["Pulumi.yaml", "__main__.py"])
def test_a_folder_with_a_program_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("name: somebody-elses\n")
    with pytest.raises(UsageError, match=f"{name} exists: choose a folder without a Pulumi project"):
        team_project.create(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_extra_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="extra: 'azure' is refused: choose one of all, audit"):
        team_project.create(tmp_path, ["azure"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OpsError, match=r"folder: .*file.*: choose another folder"):
        team_project.create(file, [])
