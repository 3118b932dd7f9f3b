"""What one smoke run makes: a project at Scaleway, two workspaces in it, a second person."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway.context import backup_bucket
from labelspace.targets.scaleway.prices import total
from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway.account import Account

COMMAND = str(Path(sys.executable).parent / "labelspace")
REGION = "fr-par"
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
"""Let's Encrypt's authority for tests, whose limits a name under sslip.io does not use up."""
HOURS_OF_A_MONTH = 730


@dataclass(frozen=True)
class Names:
    """The names of what a run makes; a file holds them, so that a run that was killed can be cleaned up."""

    token: str
    project: str = ""
    """Id of the run's own project at Scaleway; empty before it exists."""

    @property
    def project_name(self) -> str:
        return f"labelspace-smoke-{self.token}"

    @property
    def workspaces(self) -> tuple[str, str]:
        """The workspace with its database on the server, and the one with a managed database."""
        return f"smk{self.token}a", f"smk{self.token}b"

    @property
    def buckets(self) -> tuple[str, str]:
        """The dataset buckets of the workspaces."""
        first, second = (f"{self.project_name}-{letter}" for letter in "ab")
        return first, second

    @property
    def all_buckets(self) -> list[str]:
        backups = [backup_bucket(name, self.project) for name in self.workspaces]
        return [*self.buckets, *backups]

    @property
    def colleague(self) -> str:
        """Name of the second person's IAM application and policy."""
        return f"{self.project_name}-colleague"

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, file: Path) -> Names:
        """Raises ``OpsError`` when no run left its names."""
        try:
            return cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            raise OpsError(f"{file}: no earlier run left anything to clean up") from None


@dataclass
class Trial:
    """One run: its account, its home and the time that it has."""

    account: Account
    """The keys of who runs it, in the run's own project."""
    names: Names
    home: Home
    ssh_cidr: str
    has_servers: bool
    """Whether servers answer; none does behind a double of the API."""
    deadline: float = field(default_factory=lambda: time.monotonic() + 3 * 3600)
    colleague: dict[str, str] = field(default_factory=dict)
    """The environment with the second person's keys."""

    def environment(self) -> dict[str, str]:
        """The variables of labelspace's commands; the keys are there alone, never among arguments."""
        return {
            **os.environ,
            "LABELSPACE_HOME": str(self.home.root),
            "SCW_ACCESS_KEY": self.account.access_key,
            "SCW_SECRET_KEY": self.account.secret_key,
            "SCW_DEFAULT_PROJECT_ID": self.names.project,
            "SCW_DEFAULT_ORGANIZATION_ID": self.account.organization,
        }

    def labelspace(self, *arguments: str, **changed: str) -> Any:
        """Return the JSON that a command prints; raises ``OpsError`` with its last lines.

        A workspace that is not ready gives exit code 1 with its status: right where no server answers.
        """
        child = subprocess.Popen(
            [COMMAND, *arguments, "--json"], env={**self.environment(), **changed}, cwd=self.home.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            stdout, stderr = child.communicate(timeout=max(self.deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            raise OpsError(f"labelspace {arguments[0]}: the run's time is over") from None
        finally:
            _end(child)
        is_unready = child.returncode == 1 and bool(stdout.strip())
        if child.returncode and (self.has_servers or not is_unready):
            last = "\n".join((stdout + stderr).strip().splitlines()[-8:])
            raise OpsError(f"labelspace {' '.join(arguments[:2])}: exit code {child.returncode}: {last}")
        return json.loads(stdout)

    def settings(self, number: int) -> dict[str, Any]:
        """The settings under ``scaleway`` of the first or second workspace."""
        return {
            "database": ("server", "managed")[number],
            "trial_hostname": True,
            "acme_directory": STAGING,
            "wait_minutes": 40 if self.has_servers else 0,
            **({"ssh_cidrs": self.ssh_cidr} if self.ssh_cidr else {}),
        }


def _end(child: subprocess.Popen[str]) -> None:
    """End the command with the Pulumi that it runs: nothing may be made while everything is removed."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def cost_per_hour() -> float:
    """EUR an hour of both workspaces, by the price table."""
    specs = [
        validate(ScalewaySpec, {"name": "smoke", "target": "scaleway", "buckets": [{"name": "smoke"}],
                                "scaleway": {"database": kind, "trial_hostname": True}})
        for kind in ("server", "managed")
    ]  # fmt: skip
    return sum(total(spec)[0] for spec in specs) / HOURS_OF_A_MONTH
