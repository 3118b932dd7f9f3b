"""A bucket of 100,000 objects through the mount of a server at Scaleway, listed with sizes twice.

The gateway stands in for Object Storage, over HTTP and without a network's delay; the rclone is that of the
image, where the server has Ubuntu's.
"""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.rows import Bound, Row
from bench.workspace import Bench
from labelspace.cvat.images import IMAGES, cvat_image
from labelspace.home import Home
from labelspace.targets.scaleway.systemd import MOUNT, MOUNT_OPTIONS

OBJECTS = 100_000
BUCKET = "many"
PATIENCE_SECONDS = 60
BYTES = sum(number % 9 for number in range(OBJECTS))
FILL = f"for i in range({OBJECTS}): open(f'/all/buckets/{BUCKET}/{{i:06d}}.jpg', 'w').write('x' * (i % 9))"
SCAN = f"""\
import os, time
for _ in range(2):
    began = time.perf_counter()
    sizes = [entry.stat().st_size for entry in os.scandir("/all/{BUCKET}")]
    print(len(sizes), sum(sizes), time.perf_counter() - began)
"""
"""As ``ls -l`` asks, without its sorting."""
SERVE = """\
exec versitygw --quiet --region fr-par --port :80 --virtual-domain gateway \
    posix --sidecar /all/side /all/buckets
"""
ACCESS_KEY, SECRET_KEY = "labelspace-bench", secrets.token_hex(16)


@dataclass(frozen=True)
class _Place:
    """Folders of this machine, and the network and containers that are named after ``name``."""

    root: Path
    name: str

    @property
    def share(self) -> Path:
        return self.root / "share"

    @property
    def buckets(self) -> Path:
        return self.root / "buckets"


def measure(bench: Bench) -> list[Row]:
    """Each pair has a mount of its own: a first listing is one that neither rclone nor the kernel knows."""
    image = cvat_image("server", bench.cvat_version)
    first, cached, plain = [], [], []
    place = _Place(Home.find().root / "mount", f"labelspace-bench-{secrets.token_hex(2)}")
    with _storage(place, image):
        for _ in range(bench.pairs):
            with _mounted(place):
                one, other = _listed(place.share, image)
            first.append(one)
            cached.append(other)
            plain.append(_listed(place.buckets, image)[1])
    what, peer = f"listing {OBJECTS:,} objects with sizes through the server's mount", "the plain folder"
    return [
        Row(f"{what}, first", median(first), "s", peer, median(plain), Bound(35), runs=first),
        Row(f"{what}, from then on", median(cached), "s", peer, median(plain), Bound(1), runs=cached),
    ]


@contextmanager
def _storage(place: _Place, image: str) -> Iterator[None]:
    """A gateway with the bucket; nothing stays of it."""
    for folder in (place.share / BUCKET, place.buckets / BUCKET, place.root / "side"):
        folder.mkdir(parents=True)
    (place.root / "rclone.conf").write_text(_conf())
    here = f"--volume={place.root}:/all"
    as_root = ("run", "--rm", "--user=0", here)
    _docker("network", "create", place.name)
    try:
        _docker(*as_root, "--entrypoint=python3", image, "-c", FILL)
        keys = (f"--env=ROOT_ACCESS_KEY={ACCESS_KEY}", f"--env=ROOT_SECRET_KEY={SECRET_KEY}")
        words = (f"--network-alias={BUCKET}.gateway", *keys, here, "--entrypoint=sh", IMAGES["versitygw"])
        with _container(place, "gateway", *words, "-c", SERVE):
            yield
    finally:
        _docker("network", "rm", place.name)
        _docker(*as_root, "--entrypoint=sh", image, "-c", "rm -rf /all/buckets /all/side")


def _conf() -> str:
    """The remote, as ``labelspace-secrets`` writes it."""
    return (
        "[storage]\ntype = s3\nprovider = Scaleway\nno_check_bucket = true\n"
        f"region = fr-par\nendpoint = http://gateway\n"
        f"access_key_id = {ACCESS_KEY}\nsecret_access_key = {SECRET_KEY}\n"
    )


@contextmanager
def _mounted(place: _Place) -> Iterator[None]:
    """The bucket on ``share``, by the server's own options."""
    options = f"{' '.join(MOUNT_OPTIONS)} --config /all/rclone.conf --cache-dir /tmp/cache"
    rights = ("--cap-add=SYS_ADMIN", "--device=/dev/fuse", "--security-opt=apparmor=unconfined")
    folders = (f"--volume={place.root}:/all", f"--volume={place.share}:/share:rshared")
    command = f"exec rclone {MOUNT} storage:{BUCKET} /share/{BUCKET} {options}"
    with _container(place, "mount", *rights, *folders, "--entrypoint=sh", IMAGES["rclone"], "-c", command):
        _wait(place)
        yield


def _wait(place: _Place) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _docker("exec", f"{place.name}-mount", "mountpoint", "-q", f"/share/{BUCKET}")
            return
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _listed(folder: Path, image: str) -> tuple[float, float]:
    """Seconds of two listings in a row, as CVAT's user, who comes into the folder from another container."""
    seen = f"--volume={folder}:/all:ro,rslave"
    said = _docker("run", "--rm", seen, "--entrypoint=python3", image, "-c", SCAN)
    rows = [line.split() for line in said.splitlines()]
    if [row[:2] for row in rows] != [[str(OBJECTS), str(BYTES)]] * 2:
        raise RuntimeError(f"{folder} has {rows} instead of {OBJECTS} objects with {BYTES} bytes")
    return float(rows[0][2]), float(rows[1][2])


@contextmanager
def _container(place: _Place, part: str, *words: str) -> Iterator[None]:
    """One that is stopped in order: so it takes its mount with it."""
    name = f"{place.name}-{part}"
    network = (f"--network={place.name}", f"--network-alias={part}")
    _docker("run", "--detach", f"--name={name}", *network, *words)
    try:
        yield
    finally:
        _docker("stop", name)
        _docker("rm", "--force", "--volumes", name)


def _docker(*words: str) -> str:
    """What it prints; raises ``RuntimeError`` with its last words."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {words[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout
