"""The components as Pulumi's plugin, by the plain command line: a folder, a repository, the wheel."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import Lab, containers
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
    folder = tmp_path_factory.mktemp("pulumi")
    bin_, home = pulumi_with_hosts(folder), tmp_path_factory.mktemp("pulumi-home")
    (home / "plugins").mkdir()
    for name in PLUGINS:
        package = f"pulumi-{name}" if name != "scaleway" else "pulumiverse-scaleway"
        plugin = f"resource-{name}-v{version(package)}"
        (home / "plugins" / plugin).symlink_to(Home.find().pulumi_home / "plugins" / plugin)
    state = tmp_path_factory.mktemp("state")
    return {
        **os.environ,
        "PATH": f"{bin_}:/usr/local/bin:/usr/bin:/bin",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "a test's own",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _run(folder: Path, variables: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _names(schema: str) -> set[str]:
    return {name.rpartition(":")[2] for name in json.loads(schema)["resources"]}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tracked files of the repository, in a repository of their own."""
    folder = tmp_path / "srv" / "team" / "labelspace"
    files = _run(ROOT, {**os.environ}, "git", "ls-files", "-z").split("\0")
    for name in filter(None, files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "all"), ("tag", "v0.1.0")):
        _run(folder, {**os.environ}, *git, *words)
    return folder


@pytest.mark.parametrize("path", ["components", "components/labelspace"])
def test_a_folder_gives_its_schema_and_stays_clean(clone: Path, variables: dict[str, str], path: str) -> None:
    assert _names(_run(clone, variables, "pulumi", "package", "get-schema", f"./{path}")) == NAMES
    assert _run(clone, variables, "git", "status", "--short") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="port 443 needs root")
def test_a_repository_gives_its_schema(clone: Path, variables: dict[str, str], tmp_path: Path) -> None:
    with git_server.serve(clone.parents[1], tmp_path) as authorities:
        trusting = {**variables, "SSL_CERT_FILE": str(authorities)}
        shutil.copytree(clone / ".git", clone.parent / "labelspace.git")
        source = "https://localhost/team/labelspace.git/components@0.1.0"
        schema = _run(tmp_path, trusting, "pulumi", "package", "get-schema", source)
    assert _names(schema) == NAMES
    assert json.loads(schema)["pluginDownloadURL"] == "git://localhost/team/labelspace.git/components"


def test_the_installed_program_gives_its_schema(variables: dict[str, str], tmp_path: Path) -> None:
    assert _names(_run(tmp_path, variables, "pulumi", "package", "get-schema", str(SCRIPT))) == NAMES
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_has_the_plugins_files(wheel: Path, tmp_path: Path) -> None:
    listed = _run(tmp_path, {**os.environ}, sys.executable, "-m", "zipfile", "--list", str(wheel))
    for name in ("PulumiPlugin.yaml", "__main__.py", "requirements.txt"):
        assert f"labelspace/{name} " in listed
    assert ".venv" not in listed


@pytest.fixture(scope="module")
def typescript(
    lab: Lab, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int, Path, dict[str, str]]]:
    """The example in TypeScript, up: its stack, its port, its folder, its variables."""
    folder = tmp_path_factory.mktemp("typescript") / "stack"
    shutil.copytree(ROOT / "examples" / "typescript-stack", folder)
    name, port = f"ts{secrets.token_hex(3)}", secrets.randbelow(4000) + 32000
    env = {**variables, "LABELSPACE_HOME": str(lab.home.root)}
    env["PATH"] = f"{env['PATH']}:{SCRIPT.parent}"
    try:
        for words in (
            ("npm", "install", "--no-audit", "--no-fund"),
            ("pulumi", "package", "add", str(SCRIPT)),
            ("pulumi", "stack", "init", name),
            ("pulumi", "config", "set", "port", str(port)),
            ("pulumi", "up", "--yes", "--skip-preview"),
        ):
            _run(folder, env, *words)
        yield name, port, folder, env
    finally:
        subprocess.run(
            ["pulumi", "destroy", "--yes", "--skip-preview"],
            cwd=folder, env=env, check=False, capture_output=True,
        )  # fmt: skip
        lab.forget(f"{name}-photos", f"{name}-labels")


def test_a_typescript_stack_is_made(typescript: tuple[str, int, Path, dict[str, str]]) -> None:
    name, port, folder, env = typescript
    shown: dict[str, Any] = json.loads(_run(folder, env, "pulumi", "stack", "output", "--json"))
    assert shown == {
        "endpoint": f"http://127.0.0.1:{port}",
        "host": f"labelspace-{name}-labels-database",
        "secretKey": "[secret]",
    }
    assert containers(f"{name}-labels")["database"].status == "running"
    _run(folder, env, "pulumi", "preview", "--expect-no-changes")
