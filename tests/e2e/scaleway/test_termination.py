"""A command that is ended in the middle of an update ends Pulumi with it; over the double of the API."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.e2e.cloud import COMMAND, KEY, account
from tests.e2e.machine import until
from tests.paths import ROOT

from labelspace.home import Home

NAME = "cloudends"
CREATE = [
    *(COMMAND, "create", NAME, "--target", "scaleway", "--bucket", "lanes", "--yes", "--json"),
    *("--set", "scaleway.trial_hostname=true", "--set", "scaleway.wait_minutes=60"),
]


def _of_session(session: int) -> list[str]:
    """The programs of a session that have not ended."""
    found = subprocess.run(["ps", "-eo", "sid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in found.stdout.splitlines()]
    return [row[2] for row in rows if row[0] == str(session) and not row[1].startswith("Z")]


def test_no_program_goes_on_after_its_command(tmp_path: Path) -> None:
    """SIGTERM reaches the command alone, as ``kill`` sends it."""
    with account(tmp_path / "account", NAME, Home.find().tools) as cloud:
        cloud.cloud.add("access_key", dict(KEY), "access_key")
        command = subprocess.Popen(
            CREATE, env={**cloud.env(), **cloud.storage}, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            until(lambda: bool(cloud.cloud.all("instance_server")), "the server is made")
            command.terminate()
            _, said = command.communicate(timeout=120)
            assert command.returncode == 1, said
            assert "run the same command again to continue" in said
            assert _of_session(command.pid) == []
        finally:
            with suppress(ProcessLookupError):
                os.killpg(command.pid, signal.SIGKILL)
        assert not list(cloud.state.rglob("locks/**/*.json")), "the stack is not locked"
