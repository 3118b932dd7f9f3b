"""What the tests on real parts share: a home of their own, the command line, the pages over HTTP."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx

from labelspace.home import Home
from labelspace.local.place import PART_LABEL, WORKSPACE_LABEL
from labelspace_ops.stack import PROJECT, environment

BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 240
ADMIN = "head-of-labels"
PASSWORD = "a-Long-phrase-of-2026"


@dataclass(frozen=True)
class Lab:
    """One home: its workspaces are apart from those of the machine's user."""

    home: Home

    def env(self) -> dict[str, str]:
        return {**os.environ, **environment(self.home)}

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """``labelspace`` as a user types it."""
        command = [str(BIN / "labelspace"), *arguments]
        return subprocess.run(
            command, env=self.env(), input=stdin, capture_output=True, text=True, check=False, cwd=PROJECT
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON of a command that must succeed."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def pulumi(self, *arguments: str) -> str:
        """Plain ``pulumi``, which must succeed; returns everything it said."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            env=self.env(), capture_output=True, text=True, check=False, cwd=PROJECT,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return said

    def create(self, name: str, *flags: str) -> Any:
        """A workspace whose admin is ADMIN with PASSWORD."""
        return self.json(
            "create", name, "--yes", "--admin-username", ADMIN, "--admin-email", "head@example.org",
            "--password-stdin", *ports(), *flags, stdin=PASSWORD + "\n",
        )  # fmt: skip

    def until_ready(self, name: str) -> Any:
        """Wait for the workspace to be ready by itself."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            done = self.run("status", name, "--json")
            if done.returncode == 0:
                return json.loads(done.stdout)
            time.sleep(1)
        raise AssertionError(f"{name} did not become ready: {done.stdout}{done.stderr}")


def ports() -> tuple[str, ...]:
    """Flags for two ports far from the defaults: several test runs fit on one machine."""
    first = secrets.randbelow(6000) * 2 + 20000
    return ("--port", str(first), "--s3-port", str(first + 1))


def containers(name: str) -> dict[str, Any]:
    """The workspace's containers by part."""
    found = docker.from_env().containers.list(all=True, filters={"label": f"{WORKSPACE_LABEL}={name}"})
    return {one.labels[PART_LABEL]: one for one in found}


def running(name: str) -> dict[str, Any]:
    """Those of the workspace's containers that run."""
    return {part: one for part, one in containers(name).items() if one.status == "running"}


class Visitor:
    """A person at the workspace's URL, with cookies as a browser keeps them."""

    def __init__(self, api_url: str) -> None:
        self.http = httpx.Client(base_url=api_url, timeout=60)

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.post(path, json=body, headers=self._csrf())

    def patch(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.patch(path, json=body, headers=self._csrf())

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def _csrf(self) -> dict[str, str]:
        return {"X-CSRFToken": self.http.cookies.get("csrftoken") or ""}

    def log_in(self, username: str, password: str) -> httpx.Response:
        return self.post("/api/auth/login", {"username": username, "password": password})

    def sign_up(self, username: str) -> httpx.Response:
        body = {"username": username, "email": f"{username}@example.org"}
        return self.post("/api/auth/register", {**body, "password1": PASSWORD, "password2": PASSWORD})


def admin_of(measured: dict[str, Any]) -> Visitor:
    """The admin, logged in."""
    visitor = Visitor(measured["api_url"])
    assert visitor.log_in(ADMIN, PASSWORD).status_code == 200
    return visitor
