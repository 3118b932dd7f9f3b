"""Variables of the user's other Pulumi projects."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.core.foreign_variables import drop_foreign_variables
from labelspace_ops.stack import pulumi_cli

FOREIGN = (
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_BACKEND_URL",
    "PULUMI_STACK",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_PYTHON_CMD",
    "PULUMI_OPTION_STACK",
)


def test_they_are_removed_and_those_about_the_machine_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOREIGN:
        monkeypatch.setenv(name, "of-another-project")
    monkeypatch.setenv("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", "^https://get=https://mirror.example.org")
    monkeypatch.setenv("PULUMI_DEBUG_GRPC", "grpc.json")
    drop_foreign_variables()
    assert not set(FOREIGN) & set(os.environ)
    assert {"PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", "PULUMI_DEBUG_GRPC"} <= set(os.environ)


def test_pulumi_gets_the_engine_of_the_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///mine.sock")
    assert pulumi_cli.environment(Home(tmp_path))["DOCKER_HOST"] == "unix:///mine.sock"
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert "DOCKER_HOST" not in pulumi_cli.environment(Home(tmp_path))  # connecting reports it
