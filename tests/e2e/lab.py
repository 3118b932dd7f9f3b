"""What the tests on real parts share: a home of their own, the command line, the pages over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import docker
import httpx
import psutil
from pydantic import TypeAdapter
from tests.paths import ROOT

from labelspace.home import Home
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace.postgres import pgbackrest
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import project
from labelspace_ops.stack.pulumi_cli import environment
from labelspace_ops.workspaces import models

BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 240
ADMIN = "head-of-labels"
PASSWORD = "a-Long-phrase-of-2026"


@dataclass(frozen=True)
class Lab:
    """One home: its workspaces are apart from those of the machine's user."""

    home: Home

    def env(self) -> dict[str, str]:
        """For plain ``pulumi``."""
        return {**os.environ, **environment(self.home)}

    def user_env(self) -> dict[str, str]:
        """For ``labelspace``, which needs nothing of Pulumi's."""
        return {**os.environ, "LABELSPACE_HOME": str(self.home.root), "PATH": self.env()["PATH"]}

    @property
    def state(self) -> Path:
        """Where Pulumi keeps what it knows of the stacks."""
        return project.find(self.home).state

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """``labelspace`` as a user types it."""
        command = [str(BIN / "labelspace"), *arguments]
        return subprocess.run(
            command, env=self.user_env(), input=stdin, capture_output=True, text=True, check=False, cwd=ROOT
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON of a command that must succeed, and be what the reference promises."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        promised = models.PRINTED.get(arguments[0]) or models.PRINTED.get(" ".join(arguments[:2]))
        if promised is not None:
            TypeAdapter(promised).validate_json(done.stdout)
        return json.loads(done.stdout)

    def json_of_degraded(self, *arguments: str) -> Any:
        """The JSON of a status that is not ready."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 1, done.stdout + done.stderr
        return json.loads(done.stdout)

    def plain(self, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Plain ``pulumi`` in a project's folder."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            env=self.env(), capture_output=True, text=True, check=False, cwd=cwd,
        )  # fmt: skip

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        """Plain ``pulumi``, which must succeed, or fail; returns everything it said."""
        done = self.plain(*arguments)
        said = done.stdout + done.stderr
        assert bool(done.returncode) == fails, said
        return said

    def create(self, name: str, *flags: str) -> Any:
        """A workspace whose admin is ADMIN with PASSWORD."""
        return self.json(
            "create", name, "--yes", "--admin-username", ADMIN, "--admin-email", "head@example.org",
            "--password-stdin", *ports(), *flags, stdin=PASSWORD + "\n",
        )  # fmt: skip

    def kill_at(self, line: str, *arguments: str, stdin: str = "") -> None:
        """Start ``labelspace`` and kill it with Pulumi and its plugins once it prints ``line``."""
        started = subprocess.Popen(
            [str(BIN / "labelspace"), *arguments], env=self.env(), cwd=ROOT, text=True,
            start_new_session=True, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        assert started.stdin
        assert started.stderr
        started.stdin.write(stdin)
        started.stdin.close()
        met = any(line in printed for printed in started.stderr)
        plugins = psutil.Process(started.pid).children(recursive=True)  # each is in a group of its own
        os.killpg(started.pid, signal.SIGKILL)
        for one in plugins:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        started.wait()
        started.stderr.close()
        assert met, f"it never said {line!r}"
        time.sleep(1)

    def forget(self, *names: str) -> None:
        """Remove what a destroyed stack's parts kept on purpose."""
        for name in names:
            docker_engine.remove_data(docker.from_env(), name, self.home.backups / name)

    def until_ready(self, name: str) -> Any:
        """Wait for the workspace to be ready by itself."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            done = self.run("status", name, "--json")
            if done.returncode == 0:
                return json.loads(done.stdout)
            time.sleep(1)
        raise AssertionError(f"{name} did not become ready: {done.stdout}{done.stderr}")


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def alone(name: str, sql: str) -> str:
    """What PostgreSQL says of a workspace's database without a server."""
    volume = f"labelspace-{name}-database:{pgbackrest.DATA}"
    command = ["docker", "run", "--rm", "-i", "-v", volume, "--user=postgres", "--entrypoint=postgres"]
    words = [pgbackrest.image_name(), "--single", "-D", pgbackrest.DATA, "cvat"]
    return subprocess.run(
        [*command, *words], input=f"{sql}\n", capture_output=True, text=True, check=True
    ).stdout


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

    def __init__(self, api_url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.http = httpx.Client(base_url=api_url, timeout=60, transport=transport)

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.post(path, json=body, headers=self._csrf())

    def patch(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.http.patch(path, json=body, headers=self._csrf())

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def _csrf(self) -> dict[str, str]:
        token = self.http.cookies.get("csrftoken") or ""
        return {"X-CSRFToken": token, "Referer": str(self.http.base_url)}

    def log_in(self, username: str, password: str) -> httpx.Response:
        return self.post("/api/auth/login", {"username": username, "password": password})

    def sign_up(self, username: str) -> httpx.Response:
        body = {"username": username, "email": f"{username}@example.org"}
        return self.post("/api/auth/register", {**body, "password1": PASSWORD, "password2": PASSWORD})


class _PublicName(httpx.HTTPTransport):
    """Asks for a public name, which no resolver knows."""

    def __init__(self, host: str, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, retries=5)
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = self._host
        return super().handle_request(request)


def visitor_at(url: str, authority: str) -> Visitor:
    """Somebody at a public HTTPS address of this machine, who trusts one authority (PEM) alone."""
    parts = urlsplit(url)
    context = ssl.create_default_context(cadata=authority)
    visitor = Visitor(f"https://127.0.0.1:{parts.port}", _PublicName(str(parts.hostname), context))
    visitor.http.headers.update({"Host": parts.netloc, "Origin": url})
    return visitor


def admin_of(measured: dict[str, Any]) -> Visitor:
    """The admin, logged in."""
    visitor = Visitor(measured["api_url"])
    assert visitor.log_in(ADMIN, PASSWORD).status_code == 200
    return visitor


def task_of(admin: Visitor, name: str) -> int:
    """A task with the label ``car`` of all that is in the bucket ``street``; its number."""
    number = int(admin.post("/api/tasks", {"name": name, "labels": [{"name": "car"}]}).json()["id"])
    request = admin.post(
        f"/api/tasks/{number}/data", {"server_files": ["street/"], "image_quality": 70}
    ).json()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        made = admin.get(f"/api/requests/{quote(request['rq_id'])}").json()
        if made["status"] in ("finished", "failed"):
            break
        time.sleep(0.3)
    assert made["status"] == "finished", made
    return number
