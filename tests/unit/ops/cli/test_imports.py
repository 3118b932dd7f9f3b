"""Help waits for nothing heavy: what is imported for it, not how long it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    *("pulumi", "pulumi_docker", "pulumi_random", "pulumiverse_scaleway", "boto3", "botocore", "docker"),
    *("httpx", "rich", "nicegui", "pandas", "numpy", "scipy", "lxml", "yaml"),
}
HELP = """
import sys
from labelspace_ops.cli.main import main
sys.argv = ["labelspace", *sys.argv[1:]]
try:
    main()
finally:
    print("imported:", *sorted(sys.modules))
"""


def _imported(program: str, *arguments: str) -> set[str]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("imported:", 1)[1].split())


@pytest.mark.parametrize("arguments", [("--help",), ("create", "--help"), ("keys", "export", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = _imported(HELP, *arguments)
    assert "labelspace_ops.cli.lifecycle" in imported
    assert imported & HEAVY == set()
    assert (
        len(arguments) > 1 or "pydantic" not in imported
    )  # Typer asks it for the types of a command's flags


def test_a_limit_can_be_read_without_pulumi() -> None:
    imported = _imported("import sys; from labelspace import SpecError; print('imported:', *sys.modules)")
    assert "labelspace.spec" in imported
    assert {name for name in imported if name.startswith("pulumi")} == set()


@pytest.mark.parametrize("module", ["workspaces.status", "storage.upload", "stack.state", "stack.pulumi_cli"])
def test_what_only_looks_or_sends_does_not_wait_for_pulumi_or_boto3(module: str) -> None:
    imported = _imported(f"import sys, labelspace_ops.{module}; print('imported:', *sys.modules)")
    assert f"labelspace_ops.{module}" in imported
    assert imported & {"pulumi", "boto3", "grpc", "httpx"} == set()


@pytest.mark.parametrize(
    "module",
    [
        "workspaces.program",
        "workspaces.lifecycle",
        "workspaces.preview",
        "targets.scaleway",
        "workspaces.status",
        "backup.restore",
    ],
)
def test_statistics_are_loaded_for_an_audit_alone(module: str) -> None:
    imported = _imported(f"import sys, labelspace_ops.{module}; print('imported:', *sys.modules)")
    assert f"labelspace_ops.{module}" in imported
    assert imported & {"scipy", "numpy", "pandas", "fairlearn", "nicegui", "cvat_sdk"} == set()
