"""Every block of docs/own-stack.md runs; the example's commands are run by tests/examples."""

from __future__ import annotations

import re
import secrets
import site
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from testbed.toolchain import components_plugin
from tests.e2e.lab import Lab, Visitor, containers

from labelspace_ops.stack.pulumi_cli import prepare

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "own-stack.md").read_text(encoding="utf-8")
WORKSPACE, PARTS, LABELS, RENAMED = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
(YAML,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
INSTALL, *_ = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


@dataclass(frozen=True)
class Program:
    """A project whose program is a block of the guide, with names and ports of the test's own."""

    lab: Lab
    folder: Path
    name: str
    port: int

    def write(self, block: str) -> None:
        text = block
        for word in ("photos", "labels", "street-scenes"):
            text = text.replace(f'"{word}"', f'"{self.name}-{word}"')
        text = text.replace('"street"', f'"{self.name}"').replace("../labelspace/components", "PLUGIN")
        text = re.sub(r"\b809(\d)\b", lambda port: str(self.port + int(port[1])), text)
        (self.folder / "__main__.py").write_text(text)
        (self.folder / "Pulumi.yaml").write_text("name: guide\nruntime: python\n")

    def pulumi(self, *arguments: str) -> str:
        done = self.lab.plain(*arguments, cwd=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> Iterator[Program]:
    prepare(lab.home)
    one = Program(lab, tmp_path, f"g{secrets.token_hex(3)}", secrets.randbelow(4000) * 10 + 20000)
    one.write(WORKSPACE)
    one.pulumi("stack", "init", one.name)
    try:
        yield one
    finally:
        one.pulumi("state", "unprotect", "--all", "--yes")
        one.pulumi("destroy", "--yes", "--skip-preview")
        lab.forget(f"{one.name}-photos", f"{one.name}-labels")


def test_a_workspace_and_a_renamed_database_can_be_previewed(program: Program) -> None:
    assert "labelspace:index:Workspace" in program.pulumi("preview")
    program.write(LABELS)
    assert "labelspace:index:LabelSchema cars create" in program.pulumi("preview")
    program.write(RENAMED)
    assert "labelspace:index:AnnotationDatabase judged create" in program.pulumi("preview")


def test_a_workspace_of_parts_is_ready_when_the_update_ends(program: Program) -> None:
    program.write(PARTS)
    program.pulumi("up", "--yes", "--skip-preview")
    admin = Visitor(f"http://127.0.0.1:{program.port + 3}")
    health = admin.get("/api/server/health/?format=json").json()
    assert health
    assert set(health.values()) == {"working"}
    assert program.pulumi("stack", "output", "url") == (
        f"http://{program.name}-labels.localhost:{program.port + 3}\n"
    )
    server = containers(f"{program.name}-labels")
    shared = {one["Destination"] for one in server["server"].attrs["Mounts"]}
    assert f"/home/django/share/{program.name}-photos" in shared
    backed_up = {one["Name"] for one in server["database"].attrs["Mounts"] if "Name" in one}
    assert f"labelspace-{program.name}-labels-data" in backed_up
    program.pulumi("preview", "--expect-no-changes")


def test_a_yaml_stack_can_be_previewed(program: Program) -> None:
    plugin = components_plugin(program.lab.home, program.folder)
    text = YAML.replace("../labelspace/components", str(plugin)).replace("name: street\n", "name: guide\n", 1)
    (program.folder / "Pulumi.yaml").write_text(text)
    assert "labelspace:index:Workspace street create" in program.pulumi("preview")
    (program.folder / "Pulumi.yaml").write_text("name: guide\nruntime: python\n")


def test_it_installs_from_a_clone(tmp_path: Path) -> None:
    """Into an environment that has the packages it needs already."""
    (tmp_path / "labelspace").symlink_to(ROOT)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "present.pth").write_text("\n".join(site.getsitepackages()))
    command = f'PATH="{python.parent}:$PATH"\n{INSTALL}'
    done = subprocess.run(["bash", "-ec", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    where = "import labelspace; print(labelspace.__file__)"
    found = subprocess.run([str(python), "-c", where], capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(packages)
