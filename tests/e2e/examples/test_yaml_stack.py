"""The components in a stack that has no program: up and down on the real engine, through the plugin."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from testbed.toolchain import components_plugin
from tests.e2e.lab import PASSWORD, Lab, Visitor, containers

from labelspace_ops.stack.pulumi_cli import prepare

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("", "-photos")
"""What the example's parts are called on the engine, after the stack's name."""


@dataclass(frozen=True)
class Project:
    """A YAML project in a folder of its own; the plugin's path is this machine's."""

    lab: Lab
    folder: Path
    plugin: Path

    def write(self, text: str, *changes: tuple[str, str]) -> None:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        lines = [
            f"      path: {self.plugin}" if line.strip().startswith("path:") else line
            for line in text.splitlines()
        ]
        (self.folder / "Pulumi.yaml").write_text("\n".join(lines))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.lab.plain(*arguments, cwd=self.folder)

    def pulumi(self, *arguments: str) -> str:
        """``run`` that must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


EXAMPLE = (ROOT / "examples" / "yaml-stack" / "Pulumi.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Project:
    host = lab.home.pulumi_root / "bin" / "pulumi-language-yaml"
    assert host.exists() or shutil.which(host.name), "run `python -m testbed yaml` first"
    prepare(lab.home)
    plugin = components_plugin(lab.home, tmp_path_factory.mktemp("plugin"))
    return Project(lab, tmp_path_factory.mktemp("yaml"), plugin)


@dataclass(frozen=True)
class Stack:
    """The example, up."""

    project: Project
    name: str
    port: int

    def output(self, *flags: str) -> Any:
        return json.loads(self.project.pulumi("stack", "output", "--json", *flags))


@pytest.fixture(scope="module")
def stack(project: Project) -> Iterator[Stack]:
    one = Stack(project, f"yaml{secrets.token_hex(3)}", secrets.randbelow(4000) * 3 + 20000)
    project.write(EXAMPLE)
    project.pulumi("stack", "init", one.name)
    for offset, key in enumerate(("port", "photosPort")):
        project.pulumi("config", "set", key, str(one.port + offset))
    project.pulumi("config", "set", "--secret", "adminPassword", PASSWORD)
    try:
        project.pulumi("up", "--yes", "--skip-preview")
        yield one
    finally:
        project.write(EXAMPLE)
        project.run("destroy", "--yes", "--skip-preview")
        project.lab.forget(*(f"{one.name}{part}" for part in PARTS))


def test_the_engine_gets_the_schema_from_the_plugin(project: Project) -> None:
    program = project.plugin / "pulumi-resource-labelspace"
    schema = json.loads(
        project.pulumi("package", "get-schema", str(program if program.exists() else project.plugin))
    )
    assert schema["name"] == "labelspace"
    names = {name.rpartition(":")[2] for name in schema["resources"]}
    assert names == {"Workspace", "DatasetBucket", "AnnotationDatabase"}


def test_the_workspace_is_ready_when_the_update_ends(stack: Stack) -> None:
    shown = stack.output("--show-secrets")
    assert shown["url"] == f"http://{stack.name}.localhost:{stack.port}"
    assert shown["endpoint"] == f"http://127.0.0.1:{stack.port + 1}"
    assert shown["host"] == f"labelspace-{stack.name}-database"
    admin = Visitor(shown["apiUrl"])
    assert admin.log_in("admin", PASSWORD).status_code == 200
    assert admin.get("/api/users/self").json()["email"] == "head@example.org"
    assert [row["name"] for row in admin.get("/api/server/share").json()] == [f"{stack.name}-photos"]


def test_the_password_stays_secret_through_the_plugin(stack: Stack) -> None:
    assert stack.output()["password"] == "[secret]"
    assert PASSWORD not in stack.project.pulumi("stack", "export")


def test_a_second_preview_finds_nothing_to_do(stack: Stack) -> None:
    stack.project.pulumi("preview", "--expect-no-changes")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("port: ${port}", "port: 80", "port: 80 is refused"),
        ("password: ${adminPassword}", "password: short", "admin: password: too short"),
        ("password: ${adminPassword}", 'password: {"fn::secret": short}', "admin: password: too short"),
        ("email: head@example.org", "email: ${labels.user}", "admin.email: give an address"),
    ],
)
def test_a_refused_value_is_named_before_anything_changes(
    stack: Stack, old: str, new: str, said: str
) -> None:
    stack.project.write(EXAMPLE, (old, new))
    done = stack.project.run("preview")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_protect_and_aliases_pass_through_the_plugin(stack: Stack) -> None:
    renamed = (
        "  labels:\n    type",
        "  judged:\n    options:\n      protect: true\n      aliases: [{name: labels}]\n    type",
    )
    stack.project.write(EXAMPLE, renamed, ("${labels.host}", "${judged.host}"), ("${labels}", "${judged}"))
    steps = json.loads(stack.project.pulumi("preview", "--json", "--show-sames"))["steps"]
    changed = [step["urn"] for step in steps if step["op"] != "same"]
    assert changed == []
    protected = {step["urn"].rpartition("::")[2] for step in steps if step.get("newState", {}).get("protect")}
    assert {"judged", "judged-database", "judged-data"} <= protected
    assert "workspace-proxy" not in protected


ONE_BUCKET = """\
name: yaml-stack
runtime: yaml
plugins:
  providers:
    - name: labelspace
      path: here
resources:
  broken:
    type: labelspace:DatasetBucket
    properties:
      name: NAME
      port: PORT
"""


def test_a_part_that_fails_fails_the_update(stack: Stack) -> None:
    """Its folder cannot be made: what the packaged component waits for must not be lost."""
    name = f"{stack.name}-broken"
    stack.project.lab.home.buckets.mkdir(exist_ok=True)
    (stack.project.lab.home.buckets / name).write_text("in the way")
    stack.project.write(ONE_BUCKET, ("NAME", name), ("PORT", str(stack.port + 5)))
    stack.project.pulumi("stack", "init", name)
    try:
        done = stack.project.run("up", "--yes", "--skip-preview")
        assert done.returncode != 0
        assert f"labelspace-{name}-bucket-{name} ended with 1" in done.stdout + done.stderr
    finally:
        stack.project.run("destroy", "--yes", "--skip-preview")
        stack.project.pulumi("stack", "select", stack.name)


def test_it_goes_down(stack: Stack) -> None:
    stack.project.write(EXAMPLE)
    stack.project.pulumi("destroy", "--yes", "--skip-preview")
    assert [one for part in PARTS for one in containers(f"{stack.name}{part}").values()] == []
