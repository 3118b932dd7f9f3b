"""What the user has set for other programs does not reach a workspace: proxies, other Pulumi projects."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.lab import Lab

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
DEAD = "http://127.0.0.1:9"
FOREIGN = {
    "PULUMI_CONFIG_PASSPHRASE": "other",
    "PULUMI_BACKEND_URL": "file:///of-another-project",
    "PULUMI_STACK": "other",
    "PULUMI_HOME": "/of-another-project",
    "PULUMI_ACCESS_TOKEN": "pul-other",
    "PULUMI_PYTHON_CMD": "/of-another-project/python",
}


@pytest.fixture
def dead_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every proxy variable leads to a port where nothing listens."""
    for name in (*PROXIES, *(name.lower() for name in PROXIES)):
        monkeypatch.setenv(name, DEAD)


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of another Pulumi project."""
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("dead_proxies")
def test_proxies_do_not_apply_to_the_workspace(lab: Lab, street: Any, tmp_path: Path) -> None:
    name = street["name"]
    assert lab.json("status", name)["status"] == "ready"
    assert {row["name"]: row["status"] for row in lab.json("list")}[name] == "ready"
    assert lab.json("credentials", name)["username"] == street["admin_username"]
    (tmp_path / "small.txt").write_text("by obstore")
    (tmp_path / "large.bin").write_bytes(secrets.token_bytes(40 * 2**20))  # by boto3, in parts
    lab.json("upload", name, str(tmp_path), "--bucket", "fields")
    assert {row["name"]: row["objects"] for row in lab.json("status", name)["buckets"]}["fields"] == 2
    assert lab.json("preview", name)["counts"]["create"] == 0


@pytest.mark.usefixtures("dead_proxies", "foreign")
def test_a_workspace_made_under_foreign_variables_is_open_afterwards(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is encrypted with this home's passphrase. With dead proxies an update works too."""
    name = f"t{secrets.token_hex(3)}"
    try:
        assert lab.create(name, "--bucket", f"{name}-b")["status"] == "ready"
        for variable in FOREIGN:
            monkeypatch.delenv(variable)
        assert lab.json("status", name)["status"] == "ready"
        assert lab.json("credentials", name)["password"]
        assert name in [row["name"] for row in lab.json("list")]
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
