"""Sleep: time of a start compared with the first creation, and memory that stays in use, by container.

Makes a workspace of its own with the command line, and removes it.
"""

from __future__ import annotations

import json
import subprocess
import time

import docker
from docker.models.containers import Container

from bench.rows import Bound, Row
from bench.workspace import LABELSPACE, ROOT, Bench, in_use, run, seconds, workspace
from labelspace_ops.runtime import docker_engine

BOUND = Bound(0.5, of="ratio")
ASLEEP_PATIENCE_SECONDS = 600


def measure(bench: Bench) -> list[Row]:
    """Seconds of wall time, MiB in use; of a workspace of its own, as it changes its settings."""
    with workspace(bench.cvat_version) as made:
        seconds("stop", made.name)
        started = seconds("start", made.name)
        run("set", made.name, "sleep_after_minutes=1", "--yes")
        _until_asleep(made.name)
        asleep = {part: in_use(one) for part, one in made.containers.items() if one.status == "running"}
    return [
        Row("start of a stopped workspace until ready", started, "s", "first creation", made.seconds, BOUND),
        *(Row(f"memory asleep: {part}", size, "MiB") for part, size in sorted(asleep.items())),
        Row("memory asleep, whole workspace", sum(asleep.values()), "MiB"),
    ]


def _database(name: str) -> Container | None:
    """The database's container while it runs."""
    found = docker_engine.containers(docker.from_env(), name).get("database")
    return found if found and found.status == "running" else None


def _until_asleep(name: str) -> None:
    deadline = time.monotonic() + ASLEEP_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done = subprocess.run(
            [LABELSPACE, "status", name, "--json"], capture_output=True, check=False, cwd=ROOT
        )
        asleep = json.loads(done.stdout)["status"] == "asleep"
        if asleep and not _database(name):  # which is ended last
            return
        time.sleep(5)
    raise TimeoutError(f"{name} did not fall asleep in {ASLEEP_PATIENCE_SECONDS} s")
