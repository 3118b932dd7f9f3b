"""The SDKs that ``pulumi package gen-sdk`` makes: the example in TypeScript runs, the one in Go compiles."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from testbed.toolchain import pulumi_with_generators
from tests.e2e.lab import PASSWORD, Lab, Visitor, containers
from tests.e2e.package.test_plugin import SCRIPT, plugin_variables, run
from tests.paths import ROOT

from labelspace.home import Home

EXAMPLES = ROOT / "examples"
NOT_ITS = ("pulumi:providers:", "pulumi:pulumi:Stack")
"""Types of resources that a language's own SDK makes."""
IN_PYTHON = """\
import pulumi
from labelspace import AnnotationDatabase, DatasetBucket, Workspace

config, name = pulumi.Config(), pulumi.get_stack()
port = config.require_int("port")
photos = DatasetBucket("photos", name=f"{name}-photos", port=port + 2)
labels = AnnotationDatabase("labels", name=name, backup={"retention_days": 3})
workspace = Workspace(
    "workspace",
    description=pulumi.Output.concat("Photos of ", photos.bucket),
    buckets=[photos],
    database=labels,
    admin={"email": "head@example.org", "password": config.require_secret("adminPassword")},
    port=port,
)
"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of somebody who has labelspace on PATH, and Pulumi with what generates SDKs."""
    bin_ = pulumi_with_generators(Home.find(), tmp_path_factory.mktemp("pulumi"))
    found = plugin_variables(bin_, tmp_path_factory)
    return {**found, "PATH": f"{found['PATH']}:{SCRIPT.parent}:{Path(shutil.which('go') or '/').parent}"}


def _generate(folder: Path, variables: dict[str, str], language: str, *flags: str) -> Path:
    """The SDK of ``language``, in ``folder``/sdks."""
    words = ("pulumi", "package", "gen-sdk", str(SCRIPT), "--language", language, "--out", "sdks", *flags)
    run(folder, variables, *words)
    return folder / "sdks" / language


@dataclass(frozen=True)
class Stack:
    """The example in TypeScript, up, and how its programs are run."""

    name: str
    port: int
    folder: Path
    variables: dict[str, str]

    def run(self, *command: str) -> str:
        return run(self.folder, self.variables, *command)


@pytest.fixture(scope="module")
def typescript(
    lab: Lab, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Compiled against the generated SDK, with its types checked; run by the Automation API."""
    folder = tmp_path_factory.mktemp("typescript") / "stack"
    shutil.copytree(EXAMPLES / "typescript-stack", folder)
    shutil.copy2(Path(__file__).with_name("inline.js"), folder)
    env = {**variables, "LABELSPACE_HOME": str(lab.home.root)}
    one = Stack(f"ts{secrets.token_hex(3)}", secrets.randbelow(1000) * 4 + 32000, folder, env)
    sdk = _generate(folder, env, "nodejs", "--local")
    try:
        for words in (
            ("npm", "install", str(sdk), "--no-audit", "--no-fund"),
            ("npx", "tsc"),
            ("pulumi", "stack", "init", one.name),
            ("pulumi", "config", "set", "port", str(one.port)),
            ("pulumi", "config", "set", "--secret", "adminPassword", PASSWORD),
            ("node", "inline.js", one.name, "up"),
        ):
            one.run(*words)
        yield one
    finally:
        destroy = ["pulumi", "destroy", "--yes", "--skip-preview", "--stack", one.name]
        subprocess.run(destroy, cwd=folder, env=env, check=False, capture_output=True)
        lab.forget(one.name, f"{one.name}-photos")


def test_a_typescript_workspace_of_components_is_ready(typescript: Stack) -> None:
    shown: dict[str, Any] = json.loads(typescript.run("pulumi", "stack", "output", "--json"))
    assert shown == {
        "url": f"http://{typescript.name}.localhost:{typescript.port}",
        "adminPassword": "[secret]",
        "endpoint": f"http://127.0.0.1:{typescript.port + 2}",
        "host": f"labelspace-{typescript.name}-database",
        "secretKey": "[secret]",
    }
    admin = Visitor(f"http://127.0.0.1:{typescript.port}")
    assert admin.log_in("admin", PASSWORD).status_code == 200
    assert [one["name"] for one in admin.get("/api/server/share").json()] == [f"{typescript.name}-photos"]
    assert containers(typescript.name)["database"].status == "running"
    assert PASSWORD not in typescript.run("pulumi", "stack", "export")


def test_a_python_program_of_the_same_settings_finds_nothing_to_do(typescript: Stack, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: typescript-stack\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(IN_PYTHON)
    settings = f"Pulumi.{typescript.name}.yaml"
    shutil.copy2(typescript.folder / settings, tmp_path)
    env = {
        **typescript.variables,
        "PATH": f"{SCRIPT.parent}:{Home.find().pulumi_root / 'bin'}:{os.environ['PATH']}",
    }
    words = ("pulumi", "preview", "--json", "--show-sames", "--stack", typescript.name)
    steps = json.loads(run(tmp_path, env, *words))["steps"]
    made = [step for step in steps if "pulumi:providers:" not in step["urn"]]
    assert [
        step["urn"] for step in made if step["op"] != "same" and "pulumi:pulumi:Stack" not in step["urn"]
    ] == []
    assert len(made) > 30


def test_a_go_program_compiles(variables: dict[str, str], tmp_path: Path) -> None:
    sdk = _generate(tmp_path, variables, "go")
    shutil.copytree(sdk / "labelspace", tmp_path / "program" / "labelspace")
    shutil.copy2(EXAMPLES / "go-stack" / "main.go", tmp_path / "program")
    env = {**os.environ, "CGO_ENABLED": "0"}
    for words in (
        ("go", "mod", "init", "example.com/pulumi-labelspace/sdk/go"),
        ("go", "get", f"github.com/pulumi/pulumi/sdk/v3@v{version('pulumi')}"),
        ("go", "build", "-mod=mod", "-trimpath", "-o", "stack", "."),
    ):
        run(tmp_path / "program", env, *words)
    assert (tmp_path / "program" / "stack").exists()
