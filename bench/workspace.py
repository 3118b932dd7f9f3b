"""Workspaces of a bench's own, made with the command line in a home of their own, and removed."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import docker
from docker.models.containers import Container

from labelspace.cvat.images import CVAT_VERSION, IMAGES
from labelspace.home import Home
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack.pulumi_cli import environment
from labelspace_ops.targets.local.preflight import free_port

ROOT = Path(__file__).parents[1]
"""The clone, which is also the project that the bench works on."""

LABELSPACE = str(Path(sys.executable).parent / "labelspace")
ADMIN, PASSWORD = "admin", f"{secrets.token_urlsafe(16)}Aa1"
"""The admin of every workspace of this run."""
FIRST_PORT = 31400
KILLS, WORKSPACES = 50, 1


@dataclass(frozen=True)
class Made:
    """A workspace that is ready; ``seconds`` from the command's start to its end."""

    name: str
    bucket: str
    seconds: float
    status: dict[str, Any]

    @property
    def containers(self) -> dict[str, Container]:
        """By part, as they are now."""
        return docker_engine.containers(docker.from_env(timeout=600), self.name)


class Bench:
    """One run: a home of its own, and a workspace that the benches share, made when the first asks for it.

    ``pairs``: how often a measurement and its peer's are repeated in turn; the median counts.
    ``cvat_version``: of the images that all workspaces and their peers run.
    ``kills`` and ``workspaces``: of ``bench.faults``.
    """

    def __init__(
        self,
        pairs: int,
        cvat_version: str = CVAT_VERSION,
        kills: int = KILLS,
        workspaces: int = WORKSPACES,
    ) -> None:
        self.pairs, self.cvat_version = pairs, cvat_version
        self.kills, self.workspaces = kills, workspaces
        self._ends = ExitStack()

    def __enter__(self) -> Bench:
        self._ends.enter_context(own_home())
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @cached_property
    def workspace(self) -> Made:
        """The shared one."""
        return self._ends.enter_context(workspace(self.cvat_version))


@contextmanager
def own_home() -> Iterator[Home]:
    """A temporary home with the user's tools: other workspaces do not influence the figures."""
    before = os.environ.get("LABELSPACE_HOME")
    tools = Home.find().tools
    with tempfile.TemporaryDirectory(prefix="labelspace-bench-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        home.root.chmod(0o755)
        home.tools.symlink_to(tools)
        os.environ["LABELSPACE_HOME"] = folder
        os.environ.pop("PULUMI_BACKEND_URL", None)  # the user may have set one
        try:
            yield home
        finally:
            _empty(home)
            if before is None:
                del os.environ["LABELSPACE_HOME"]
            else:
                os.environ["LABELSPACE_HOME"] = before


def _empty(home: Home) -> None:
    """What the containers' users own: a container removes it."""
    words = ("run", "--rm", "--network=none", f"--volume={home.root}:/home-of-bench", "--entrypoint=sh")
    remove = "rm -rf /home-of-bench/buckets /home-of-bench/gateway /home-of-bench/backups"
    subprocess.run(["docker", *words, IMAGES["versitygw"], "-c", remove], capture_output=True, check=False)


def run(*command: str, stdin: str = "") -> str:
    """``labelspace`` as a user types it; raises ``RuntimeError`` with its last words when it fails."""
    done = subprocess.run(
        [LABELSPACE, *command], input=stdin, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise RuntimeError(f"labelspace {command[0]} ended with {done.returncode}: {tail}")
    return done.stdout


def seconds(*command: str) -> float:
    """Wall time of a command that succeeds."""
    began = time.monotonic()
    run(*command)
    return time.monotonic() - began


def ports() -> tuple[str, ...]:
    """Two that are free."""
    first = free_port("127.0.0.1", FIRST_PORT + secrets.randbelow(300), set())
    second = free_port("127.0.0.1", first + 1, set())
    return ("--port", str(first), "--s3-port", str(second))


@contextmanager
def workspace(version: str) -> Iterator[Made]:
    """One with a bucket; removed at the end with all that it made."""
    name = f"bench{secrets.token_hex(2)}"
    bucket = f"{name}-bucket"
    try:
        began = time.monotonic()
        said = run(
            *("create", name, "--yes", "--json", "--bucket", bucket, "--password-stdin", *ports()),
            *("--cvat-version", version),
            stdin=f"{PASSWORD}\n",
        )
        yield Made(name, bucket, time.monotonic() - began, json.loads(said))
    finally:
        subprocess.run(
            [LABELSPACE, "delete", name, "--purge"],
            input=f"{name}\n",
            text=True,
            capture_output=True,
            check=False,
            cwd=ROOT,
        )


def outputs(name: str) -> dict[str, Any]:
    """The stack's outputs, secrets in the clear."""
    return dict(json.loads(pulumi("stack", "output", "--json", "--show-secrets", "--stack", name)))


def pulumi(*words: str) -> str:
    """Plain ``pulumi`` on the workspaces of ``$LABELSPACE_HOME``."""
    env = {**os.environ, **environment(Home.find())}
    command = ["pulumi", *words, "--non-interactive"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def in_use(one: Container) -> float:
    """MiB that the engine counts for a container, without the pages of files, which it gives back when asked.

    What processes of a container share counts once. An engine that counts nothing: their resident memory.
    """
    counted = cast("dict[str, Any]", one.stats(stream=False))
    said = counted["memory_stats"]
    details = said.get("stats", {})
    if "usage" in said:
        return float(said["usage"] - details.get("file", details.get("total_cache", 0))) / 2**20
    rows = one.top(ps_args="-o pid,rss")["Processes"] or []
    return sum(int(row[1]) for row in rows) / 1024
