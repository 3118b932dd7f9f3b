"""The plugin's files: what Pulumi installs for it and how it starts, in the clone and in the wheel."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from tests.paths import ROOT

from labelspace.provider import VERSION

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = (ROOT / "components", ROOT / "components" / "labelspace")
LIBRARIES = ("pulumi", "pydantic")


def test_the_plugin_has_the_version_of_the_package() -> None:
    assert PROJECT["version"] == VERSION


def test_its_requirements_are_those_of_the_package() -> None:
    text = (FOLDERS[1] / "requirements.txt").read_text()
    required = {line for line in text.splitlines() if not line.startswith("#")}
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["scaleway"]]
    assert required == {line for line in declared if line.startswith(LIBRARIES)}
    assert (FOLDERS[0] / "requirements.txt").read_text() == "-r labelspace/requirements.txt\n"


@pytest.mark.parametrize("folder", FOLDERS, ids=["clone", "package"])
def test_pulumi_makes_its_environment_where_git_ignores_it(folder: Path) -> None:
    options = yaml.safe_load((folder / "PulumiPlugin.yaml").read_text())["runtime"]["options"]
    assert f"{options['virtualenv']}/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("folder", FOLDERS, ids=["clone", "package"])
def test_the_folder_runs_without_the_package_installed(folder: Path) -> None:
    """As Pulumi runs it: its folder is the first place of modules, and labelspace is in no other one."""
    program = (
        "import runpy, sys; sys.path[:] = [p for p in sys.path if not p.endswith(('components', 'stacks'))];"
        f"sys.argv = ['plugin']; sys.path.insert(0, {str(folder)!r});"
        f"runpy.run_path({str(folder / '__main__.py')!r}, run_name='checked');"
        "import secrets, labelspace.provider; print(secrets.token_hex(1) and labelspace.provider.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(ROOT / "components" / "labelspace" / "provider.py")
