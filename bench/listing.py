"""A bucket with very many files, listed by CVAT as the admin sees it under "Connected file share"."""

from __future__ import annotations

import subprocess
import time
from statistics import median
from typing import Any

import httpx

from bench.rows import Row
from bench.workspace import ADMIN, PASSWORD, Bench, Made
from labelspace.home import Home

FILES = 100_000
FOLDER = "many"
SCAN = "import os, sys; print(len(sorted((not e.is_dir(), e.name) for e in os.scandir(sys.argv[1]))))"


def measure(bench: Bench) -> list[Row]:
    """Seconds for the whole list in one answer; the peer reads the same folder in the same container."""
    made = bench.workspace
    _fill(made)
    times, peers = [], []
    with httpx.Client(base_url=made.status["api_url"], timeout=600) as http:
        http.post("/api/auth/login", json={"username": ADMIN, "password": PASSWORD}).raise_for_status()
        for _ in range(bench.pairs):
            times.append(_listed(http, f"/{made.bucket}/{FOLDER}/"))
            peers.append(_scanned(made))
    what = f"listing a folder of {FILES:,} files through the share's API"
    return [Row(what, median(times), "s", "os.scandir in the server's container", median(peers), runs=times)]


def _fill(made: Made) -> None:
    """Empty files, written into the gateway's folder directly: only their names matter here."""
    folder = Home.find().buckets / made.bucket / FOLDER
    subprocess.run(
        [
            *("docker", "run", "--rm", "--network=none", f"--volume={folder.parent}:/bucket"),
            *("--entrypoint=sh", _image(made), "-c"),
            f"mkdir -p /bucket/{FOLDER} && cd /bucket/{FOLDER} && seq -f '%06g.jpg' {FILES} | xargs touch",
        ],
        check=True,
        capture_output=True,
    )


def _image(made: Made) -> str:
    return str(made.containers["gateway"].attrs["Config"]["Image"])


def _listed(http: httpx.Client, directory: str) -> float:
    began = time.monotonic()
    answer = http.get("/api/server/share", params={"directory": directory})
    answer.raise_for_status()
    if len(answer.json()) != FILES:
        raise RuntimeError(f"the share lists {len(answer.json())} files of {FILES}")
    return time.monotonic() - began


def _scanned(made: Made) -> float:
    path = f"/home/django/share/{made.bucket}/{FOLDER}"
    began = time.monotonic()
    done: Any = made.containers["server"].exec_run(["python3", "-c", SCAN, path])
    if done.output.decode().strip() != str(FILES):
        raise RuntimeError(f"the container sees {done.output!r} of {FILES} files")
    return time.monotonic() - began
