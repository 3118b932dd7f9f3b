"""Helpers of the tests on the double of Scaleway's API; Pulumi and the provider are real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from testbed.scaleway_api.app import running
from testbed.scaleway_api.authorization import Caller
from testbed.scaleway_api.cloud import Cloud
from tests.paths import ROOT

from labelspace.home import Home
from labelspace_ops.stack import project
from labelspace_ops.stack.pulumi_cli import environment, prepare

COMMAND = str(Path(sys.executable).parent / "labelspace")
UUID = "11111111-1111-4111-8111-111111111111"
KEY = {"access_key": "SCWXXXXXXXXXXXXXXXXX", "application_id": UUID}
"""The key of ``ACCOUNT``, as IAM knows it."""
DEPLOYER = f"application_id:{UUID}"
ACCOUNT = {
    "SCW_ACCESS_KEY": "SCWXXXXXXXXXXXXXXXXX",
    "SCW_SECRET_KEY": UUID,
    "SCW_DEFAULT_PROJECT_ID": UUID,
    "SCW_DEFAULT_ORGANIZATION_ID": UUID,
    "SCW_CONFIG_PATH": "/nonexistent",
}
DENIED = {"type": "permissions_denied", "message": "insufficient permissions", "details": []}
SOLD_OUT = {"type": "out_of_stock", "message": "resource is out of stock", "resource": "DEV1-L"}
"""How the API refuses."""


@dataclass
class Account:
    """One account on the double, and one workspace's stack in it."""

    home: Home
    address: str
    name: str
    cloud: Cloud = field(default_factory=Cloud)

    @property
    def settings(self) -> Path:
        return ROOT / "stacks" / f"Pulumi.{self.name}.yaml"

    @property
    def state(self) -> Path:
        """Where Pulumi keeps what it knows of the stack."""
        return project.find(self.home).state

    def env(self) -> dict[str, str]:
        double = {"SCW_API_URL": f"http://{self.address}", "LABELSPACE_TESTBED_S3": self.address}
        own = {key: value for key, value in os.environ.items() if key[:4] not in ("AWS_", "SCW_")}
        return {
            **own,
            **environment(self.home),
            **ACCOUNT,
            **double,
            "LABELSPACE_TESTBED_POLL": "20ms",
        }

    @property
    def storage(self) -> dict[str, str]:
        """Where what runs on this machine finds Object Storage."""
        return {"SCW_S3_ENDPOINT": f"http://{self.address}"}

    def configure(self, **changes: Any) -> None:
        """Write the stack's settings; keep the entries that Pulumi wrote into the same file."""
        kept = yaml.safe_load(self.settings.read_text()) if self.settings.exists() else {}
        given = {"deployers": [DEPLOYER], "wait_minutes": 0, "trial_hostname": True}
        given |= changes.pop("scaleway", {})
        settings = {"target": "scaleway", "buckets": [{"name": "street"}], "scaleway": given, **changes}
        kept["config"] = {f"labelspace:{key}": value for key, value in settings.items()}
        self.settings.write_text(yaml.safe_dump(kept))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Plain ``pulumi`` on the stack."""
        env = {**self.env(), **self.storage}
        return subprocess.run(
            ["pulumi", *arguments, "--stack", self.name, "--non-interactive"],
            env=env, capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip

    def pulumi(self, *arguments: str) -> str:
        """``run`` that must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self) -> None:
        self.pulumi("up", "--yes", "--skip-preview")

    def preview(self) -> list[dict[str, Any]]:
        """The steps of a preview."""
        return list(json.loads(self.pulumi("preview", "--json"))["steps"])

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json", "--show-secrets")))

    def labelspace(self, *arguments: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
        """The command; ``changed``: variables of the environment, None for one that is not there."""
        merged = {**self.env(), **self.storage, **changed}
        env = {key: value for key, value in merged.items() if value is not None}
        return subprocess.run(
            [COMMAND, *arguments], env=env, capture_output=True, text=True, check=False, cwd=ROOT
        )

    def only(self, kind: str) -> dict[str, Any]:
        """The one resource of a kind that there is."""
        (item,) = self.cloud.all(kind).values()
        return item


@contextmanager
def account(folder: Path, name: str, tools: Path) -> Iterator[Account]:
    """A fresh account with an empty stack; the stack's file goes with it."""
    home = Home(folder)
    home.root.mkdir(exist_ok=True)
    home.tools.symlink_to(tools)
    prepare(home)
    cloud = Cloud(people={ACCOUNT["SCW_ACCESS_KEY"]: Caller(DEPLOYER)})
    with running(cloud) as address:
        one = Account(home, address, name, cloud)
        try:
            one.pulumi("stack", "init")
            yield one
        finally:
            one.settings.unlink(missing_ok=True)
