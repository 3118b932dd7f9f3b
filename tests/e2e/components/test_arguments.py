"""Arguments on Pulumi's engine: outputs that turn out wrong, workspaces alike. No container is made."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.lab import Lab

from labelspace_ops.stack.pulumi_cli import prepare

WRONG = """\
import pulumi
import pulumi_random as random
from labelspace import Workspace

weak = random.RandomPassword("weak", length=5).result
Workspace("wrong", buckets=[{"name": "one"}], admin={"password": weak}, description=weak)
"""
ALIKE = """\
import pulumi
import pulumi_docker as docker
from labelspace import Workspace

class Team(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("other:index:Team", name)
        child = pulumi.ResourceOptions(parent=self)
        Workspace("street", name="inside", buckets=[{"name": "one"}], opts=child)

config = pulumi.Config()
Workspace("street", buckets=[{"name": "one"}], backup={"encryption_key": config.require_secret("key")})
second = docker.Provider("second", host="unix:///var/run/docker.sock")
Workspace("again", buckets=[{"name": "one"}], opts=pulumi.ResourceOptions(provider=second))
Team("team")
"""
Pulumi = Callable[..., str]


@pytest.fixture
def program(lab: Lab, tmp_path: Path) -> tuple[Path, Pulumi]:
    """The file of a program, and plain ``pulumi`` in its folder."""
    prepare(lab.home)
    (tmp_path / "Pulumi.yaml").write_text("name: arguments\nruntime: python\n")

    def pulumi(*arguments: str, fails: bool = False) -> str:
        done = lab.plain(*arguments, cwd=tmp_path)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    pulumi("stack", "init", f"a{secrets.token_hex(3)}")
    return tmp_path / "__main__.py", pulumi


def _types(exported: str) -> set[str]:
    return {one["type"] for one in json.loads(exported)["deployment"]["resources"]}


def test_a_wrong_output_fails_the_update_before_anything_of_the_workspace_is_made(
    program: tuple[Path, Pulumi],
) -> None:
    file, pulumi = program
    file.write_text(WRONG)
    pulumi("preview")
    printed = pulumi("up", "--yes", "--skip-preview", fails=True)
    assert "admin: password: too short: give at least 8 characters" in printed
    assert "Traceback" not in printed
    made = _types(pulumi("stack", "export"))
    assert made == {
        "pulumi:pulumi:Stack", "pulumi:providers:random", "random:index/randomPassword:RandomPassword",
    }  # fmt: skip
    pulumi("destroy", "--yes", "--skip-preview")


def test_workspaces_with_the_same_settings_fit_in_one_program(program: tuple[Path, Pulumi]) -> None:
    file, pulumi = program
    file.write_text(ALIKE)
    pulumi("config", "set", "--secret", "key", "weak")
    assert "backup.encryption_key: use 32 or more" in pulumi("preview", fails=True)
    pulumi("config", "set", "--secret", "key", "k" * 40)
    steps = json.loads(pulumi("preview", "--json"))["steps"]
    workspaces = {step["urn"] for step in steps if "labelspace:index:Workspace::" in step["urn"]}
    assert len(workspaces) == 3
    inputs = {step["urn"].partition("::arguments::")[2]: step["newState"].get("inputs") for step in steps}
    street = inputs["labelspace:index:Workspace::street"]
    assert street["buckets"] == [{"name": "one"}]
    assert street["backup"] == {"encryptionKey": "[secret]"}
    of_docker = [step["newState"] for step in steps if "docker:" in step["newState"]["type"]]
    providers = {
        one["urn"].rpartition("::")[2].partition("-")[0]: one["provider"]
        for one in of_docker
        if one.get("provider")
    }
    assert [name for name, provider in providers.items() if "::second::" in provider] == ["again"]
    assert inputs["other:index:Team$labelspace:index:Workspace::street"]["name"] == "inside"
