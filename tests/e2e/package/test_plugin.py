"""The components as Pulumi's plugin, by the plain command line: a folder, a repository, the wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.package import git_server
from tests.e2e.package.plugin_hosts import pulumi_with_hosts
from tests.paths import ROOT

from labelspace.home import Home

NAMES = {"Workspace", "DatasetBucket", "AnnotationDatabase"}
SCRIPT = Path(sys.executable).with_name("pulumi-resource-labelspace")
PLUGINS = ("docker", "random", "scaleway")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of somebody with Pulumi's download, and without labelspace on PATH."""
    return plugin_variables(pulumi_with_hosts(tmp_path_factory.mktemp("pulumi")), tmp_path_factory)


def plugin_variables(bin_: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("pulumi-home")
    (home / "plugins").mkdir()
    for name in PLUGINS:
        package = f"pulumi-{name}" if name != "scaleway" else "pulumiverse-scaleway"
        plugin = f"resource-{name}-v{version(package)}"
        shutil.copytree(Home.find().pulumi_home / "plugins" / plugin, home / "plugins" / plugin)
    state = tmp_path_factory.mktemp("state")
    return {
        **os.environ,
        "PATH": f"{bin_}:/usr/local/bin:/usr/bin:/bin",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "a test's own",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def run(folder: Path, variables: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _names(schema: str) -> set[str]:
    return {name.rpartition(":")[2] for name in json.loads(schema)["resources"]}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tracked files of the repository, in a repository of their own."""
    folder = tmp_path / "srv" / "team" / "labelspace"
    files = run(ROOT, {**os.environ}, "git", "ls-files", "-z").split("\0")
    for name in filter(None, files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "all"), ("tag", "v0.1.0")):
        run(folder, {**os.environ}, *git, *words)
    return folder


@pytest.mark.parametrize("path", ["components", "components/labelspace"])
def test_a_folder_gives_its_schema_and_stays_clean(clone: Path, variables: dict[str, str], path: str) -> None:
    assert _names(run(clone, variables, "pulumi", "package", "get-schema", f"./{path}")) == NAMES
    assert run(clone, variables, "git", "status", "--short") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="port 443 needs root")
def test_a_repository_gives_its_schema(clone: Path, variables: dict[str, str], tmp_path: Path) -> None:
    with git_server.serve(clone.parents[1], tmp_path) as authorities:
        trusting = {**variables, "SSL_CERT_FILE": str(authorities)}
        shutil.copytree(clone / ".git", clone.parent / "labelspace.git")
        source = "https://localhost/team/labelspace.git/components@0.1.0"
        schema = run(tmp_path, trusting, "pulumi", "package", "get-schema", source)
    assert _names(schema) == NAMES
    assert json.loads(schema)["pluginDownloadURL"] == "git://localhost/team/labelspace.git/components"


def test_the_installed_program_gives_its_schema(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """It needs no language host."""
    variables = plugin_variables(Home.find().pulumi_root / "bin", tmp_path_factory)
    assert _names(run(tmp_path, variables, "pulumi", "package", "get-schema", str(SCRIPT))) == NAMES
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_has_the_plugins_files(wheel: Path, tmp_path: Path) -> None:
    listed = run(tmp_path, {**os.environ}, sys.executable, "-m", "zipfile", "--list", str(wheel))
    for name in ("PulumiPlugin.yaml", "__main__.py", "requirements.txt"):
        assert f"labelspace/{name} " in listed
    assert ".venv" not in listed


def test_a_project_adds_the_package_and_previews(variables: dict[str, str], lab: Lab, tmp_path: Path) -> None:
    """Plain ``pulumi``, with Pulumi's own host of Node.js."""
    folder = tmp_path / "stack"
    shutil.copytree(ROOT / "examples" / "typescript-stack", folder)
    env = {**variables, "LABELSPACE_HOME": str(lab.home.root)}
    env["PATH"] = f"{env['PATH']}:{SCRIPT.parent}"
    for words in (
        ("npm", "install", "--no-audit", "--no-fund"),
        ("pulumi", "package", "add", str(SCRIPT)),
        ("pulumi", "stack", "init", "added"),
        ("pulumi", "config", "set", "port", "32999"),
        ("pulumi", "config", "set", "--secret", "adminPassword", PASSWORD),
    ):
        run(folder, env, *words)
    assert "labelspace:index:Workspace workspace create" in run(folder, env, "pulumi", "preview")
