"""Upload of many files, compared with rclone to the same gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.rows import Bound, Row
from bench.workspace import LABELSPACE, Bench, Made, outputs
from labelspace.cvat.images import IMAGES

FILES, SIZE = 1000, 100_000
BOUND = Bound(1.0, of="ratio", side=">=")
FLAT = Bound(1.1, of="ratio")
RCLONE_PATHS = ("/usr/bin/rclone", "/usr/local/bin/rclone")


def measure(bench: Bench) -> list[Row]:
    """MB/s of the whole commands, from start to end; peak MiB of this side's process."""
    made, times, peer_times = bench.workspace, [], []
    with tempfile.TemporaryDirectory(prefix="labelspace-bench-") as name, _rclone() as program:
        files = _files(Path(name) / "files", FILES)
        few = _files(Path(name) / "few", FILES // 4)
        config = _config(Path(name) / "rclone.conf", made)
        for turn in range(bench.pairs):
            peer_times.append(_copied(program, config, files, f"{made.bucket}/peer{turn}"))
            times.append(_uploaded(made, files, f"own{turn}/")[0])
        large, small = (_uploaded(made, folder, f"{folder.name}/")[1] for folder in (files, few))
    megabytes = FILES * SIZE / 1e6
    rates = [megabytes / one for one in times]
    what = f"upload of {FILES:,} files of {SIZE // 1000} kB"
    peer = "rclone copy"
    return [
        Row(what, median(rates), "MB/s", peer, megabytes / median(peer_times), BOUND, runs=rates),
        Row(f"{what}: peak memory", large, "MiB", "a quarter of the files", small, FLAT),
    ]


def _files(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(os.urandom(SIZE))
    return folder


def _uploaded(made: Made, folder: Path, prefix: str) -> tuple[float, float]:
    """Seconds and peak MiB of ``labelspace upload``."""
    words = [LABELSPACE, "upload", made.name, str(folder), "--prefix", prefix, "--json"]
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", _PEAK, *words], capture_output=True, text=True, check=True)
    taken = time.monotonic() - began
    said, _, peak = done.stdout.rstrip().rpartition("\n")
    if json.loads(said)["skipped"]:
        raise RuntimeError("upload: some of the files were there before: nothing was measured")
    return taken, float(peak) / 1024


_PEAK = """
import os, resource, subprocess, sys
done = subprocess.Popen(sys.argv[1:])
_, code, used = os.wait4(done.pid, 0)
print(used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(code))
"""
"""Prints the peak of this very command, not of what it starts."""


@contextmanager
def _rclone() -> Iterator[str]:
    """rclone's program out of its image, to run where ``labelspace`` runs."""
    with tempfile.TemporaryDirectory(prefix="labelspace-bench-") as folder:
        made = _docker("create", IMAGES["rclone"]).strip()
        try:
            for path in RCLONE_PATHS:
                if not _docker("cp", "--follow-link", f"{made}:{path}", f"{folder}/rclone", check=False):
                    break
            yield f"{folder}/rclone"
        finally:
            _docker("rm", "--volumes", made)


def _docker(*words: str, check: bool = True) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=check)
    return done.stdout if check else done.stderr.strip() * bool(done.returncode)


def _config(path: Path, made: Made) -> Path:
    known: dict[str, Any] = outputs(made.name)
    bucket, keys = known["buckets"][0], known["bucket_keys"][made.bucket]
    path.write_text(
        f"[s3]\ntype = s3\nprovider = Other\nendpoint = {bucket['endpoint']}\nregion = {bucket['region']}\n"
        f"access_key_id = {keys['access_key']}\nsecret_access_key = {keys['secret_key']}\n"
    )
    return path


def _copied(program: str, config: Path, folder: Path, to: str) -> float:
    """Seconds of ``rclone copy`` as it is without options; what it needs stands in its file."""
    words = [program, "--config", str(config), "copy", str(folder), f"s3:{to}"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    began = time.monotonic()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"rclone copy: {done.stderr.strip()[-300:]}")
    return time.monotonic() - began
