"""Rest: how long a start takes beside the first creation, and what stays in memory asleep, by container.

Makes a workspace of its own with the command line, under ``$LABELSPACE_HOME``, and removes it.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import docker

from labelspace.local.place import PART_LABEL, WORKSPACE_LABEL

LABELSPACE = str(Path(sys.executable).parent / "labelspace")
RATIO_BOUND = 0.5
ASLEEP_PATIENCE_SECONDS = 600


def measure() -> list[dict[str, Any]]:
    """Rows of ``what, value, unit, peer, peer_value, ratio, bound``; seconds of wall time, MiB resident."""
    name = f"bench{secrets.token_hex(2)}"
    port = 30000 + secrets.randbelow(1000) * 2
    ports = ("--port", str(port), "--s3-port", str(port + 1))
    try:
        created = _seconds("create", name, "--yes", "--bucket", "bench-rest", *ports)
        _seconds("stop", name)
        started = _seconds("start", name)
        subprocess.run(
            [LABELSPACE, "set", name, "sleep_after_minutes=1", "--yes"], check=True, capture_output=True
        )
        _until_asleep(name)
        return [_start_row(started, created), *_memory_rows(name)]
    finally:
        subprocess.run([LABELSPACE, "delete", name, "--purge"], input=f"{name}\n", text=True, check=False)


def _seconds(*command: str) -> float:
    began = time.monotonic()
    subprocess.run([LABELSPACE, *command, "--json"], check=True, capture_output=True)
    return time.monotonic() - began


def _until_asleep(name: str) -> None:
    deadline = time.monotonic() + ASLEEP_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done = subprocess.run([LABELSPACE, "status", name, "--json"], capture_output=True, check=False)
        if json.loads(done.stdout)["status"] == "asleep":
            return
        time.sleep(5)
    raise TimeoutError(f"{name} did not fall asleep in {ASLEEP_PATIENCE_SECONDS} s")


def _start_row(started: float, created: float) -> dict[str, Any]:
    return {
        "what": "start of a stopped workspace until ready",
        "value": round(started, 1),
        "unit": "s",
        "peer": "first creation",
        "peer_value": round(created, 1),
        "ratio": round(started / created, 2),
        "bound": RATIO_BOUND,
    }


def _memory_rows(name: str) -> list[dict[str, Any]]:
    found = docker.from_env().containers.list(filters={"label": f"{WORKSPACE_LABEL}={name}"})
    return [_memory_row(one.labels[PART_LABEL], _resident(one)) for one in found]


def _memory_row(part: str, mebibytes: float) -> dict[str, Any]:
    return {
        "what": f"memory asleep: {part}",
        "value": round(mebibytes, 1),
        "unit": "MiB",
        "peer": None,
        "peer_value": None,
        "ratio": None,
        "bound": None,
    }


def _resident(one: Any) -> float:
    """Of every process in the container; its own figure is not there on every kernel."""
    rows = one.top(ps_args="-o pid,rss")["Processes"]
    return sum(int(row[1]) for row in rows) / 1024
