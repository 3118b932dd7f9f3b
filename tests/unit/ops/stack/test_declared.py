"""The workspaces that somebody's own program declares, found in an exported state and operated by it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace_ops.core import foreign_variables
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import declared, declared_workspaces, project, pulumi_cli, state

COMPONENT = "labelspace:index:Workspace"


def _secret(text: str) -> dict[str, str]:
    return {state.SIGNATURE: state.SECRET, "plaintext": json.dumps(text)}


def _workspace(name: str) -> list[dict[str, Any]]:
    settings = {"name": name, "buckets": [{"name": "photos"}], "target": "local"}
    outputs = {"url": f"http://{name}.localhost:8080", "settings": _secret(json.dumps(settings))}
    return [
        {"urn": f"urn:{name}", "type": COMPONENT, "outputs": outputs},
        {"urn": f"urn:{name}:server", "type": "labelspace:local:AnnotationServer", "parent": f"urn:{name}"},
        {
            "urn": f"urn:{name}:proxy",
            "type": "docker:index/container:Container",
            "parent": f"urn:{name}:server",
        },
    ]


OTHERS: list[dict[str, Any]] = [
    {"urn": "urn:stack", "type": state.STACK, "outputs": {"url": "the program's own"}},
    {"urn": "urn:report", "type": "docker:index/container:Container", "parent": "urn:stack"},
    {"urn": "urn:broken", "type": COMPONENT, "outputs": {}},
]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[dict[str, Any]]]:
    """The resources that Pulumi exports; the current folder is the program's."""
    (tmp_path / "Pulumi.yaml").write_text("name: pets\nruntime: python\n")
    (tmp_path / "app").mkdir()
    monkeypatch.chdir(tmp_path / "app")
    resources = [*OTHERS, *_workspace("street")]
    monkeypatch.setattr(pulumi_cli, "query", lambda *_: {"deployment": {"resources": resources}})
    yield resources
    declared.use(None)


def test_the_only_workspace_of_a_stack_needs_no_name(exported: list[dict[str, Any]], tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert declared_workspaces.select("dev", "", home) == "street"
    assert state.names(home) == ["street"]
    assert state.require_outputs("street", home)["url"] == "http://street.localhost:8080"
    kinds = [one.type for one in state.resources("street", home)]
    assert kinds == [state.STACK, "labelspace:local:AnnotationServer", "docker:index/container:Container"]
    assert project.find(home).labels == tmp_path / "stacks" / "labels"


def test_one_of_several_is_named(exported: list[dict[str, Any]], tmp_path: Path) -> None:
    exported += _workspace("fields")
    home = Home(tmp_path / "home")
    with pytest.raises(UsageError, match="several workspaces: give one of fields, street"):
        declared_workspaces.select("dev", "", home)
    assert declared_workspaces.select("dev", "fields", home) == "fields"
    with pytest.raises(UsageError, match="'alley' is no workspace of stack dev; there are: fields, street"):
        declared_workspaces.select("dev", "alley", home)


def test_a_stack_without_a_complete_workspace_is_refused(
    exported: list[dict[str, Any]], tmp_path: Path
) -> None:
    exported[:] = OTHERS
    with pytest.raises(UsageError, match="dev declares no workspace that was made completely"):
        declared_workspaces.select("dev", "", Home(tmp_path / "home"))


@pytest.mark.usefixtures("exported")
def test_a_stack_that_cannot_be_read_says_where_to_run_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise OpsError("no stack named 'dev' found")

    monkeypatch.setattr(pulumi_cli, "query", fail)
    with pytest.raises(OpsError, match=r"stack: dev cannot be read \(no stack named 'dev' found\): run"):
        declared_workspaces.select("dev", "", Home(tmp_path / "home"))


@pytest.mark.usefixtures("exported")
def test_pulumi_gets_the_users_own_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "theirs")
    monkeypatch.setattr(foreign_variables, "_dropped", {})
    foreign_variables.drop_foreign_variables()
    assert "PULUMI_CONFIG_PASSPHRASE" not in os.environ
    assert pulumi_cli.environment(home)["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(home.passphrase)
    declared_workspaces.select("dev", "", home)
    theirs = pulumi_cli.environment(home)
    assert theirs["PULUMI_CONFIG_PASSPHRASE"] == "theirs"
    assert "PULUMI_BACKEND_URL" not in theirs
    assert declared.repair_command("street") == "pulumi up --refresh"
