"""The main job on other engines: rootless Docker, and Docker with ``userns-remap``."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from testbed import engines
from testbed.shell import SetupError
from tests.e2e.lab import ADMIN, BIN, PASSWORD, ports
from tests.paths import ROOT

from labelspace.cvat.images import IMAGES
from labelspace.home import Home

ENGINES = {
    "rootless": engines.rootless_docker,
    "remapped": engines.remapped_docker,
}
DESCRIBED = {"rootless": "rootless", "remapped": "userns-remap"}


@dataclass(frozen=True)
class Bench:
    """An engine, and a home whose commands use it."""

    kind: str
    engine: engines.OtherEngine
    home: Home

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """``labelspace`` as a user of this engine types it."""
        path = os.pathsep.join([str(self.home.pulumi_root / "bin"), os.environ["PATH"]])
        env = {
            **os.environ, "DOCKER_HOST": self.engine.url, "LABELSPACE_HOME": str(self.home.root), "PATH": path
        }  # fmt: skip
        command = [*self.engine.enter, str(BIN / "labelspace"), *arguments]
        return subprocess.run(
            command, env=env, input=stdin, capture_output=True, text=True, check=False, cwd=ROOT
        )

    def json(self, *arguments: str, stdin: str = "") -> Any:
        """The JSON of a command that must succeed."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """One engine after the other, with the images of this machine."""
    if why := engines.missing():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix=f"labelspace-{request.param}-"))
    folder.chmod(0o755)
    try:
        with ENGINES[request.param](folder) as engine:
            engines.load(engine, list(dict.fromkeys(IMAGES.values())))
            yield Bench(request.param, engine, _home(folder, engine.owner))
    except SetupError as error:
        pytest.skip(f"{request.param}: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _home(folder: Path, owner: str) -> Home:
    home = Home(folder / "home")
    home.root.mkdir()
    home.tools.symlink_to(Home.find().tools)
    os.chown(home.root, pwd.getpwnam(owner).pw_uid, -1)
    return home


def test_the_main_job(bench: Bench, dataset: Path) -> None:
    name = f"{bench.kind}-{secrets.token_hex(3)}"
    try:
        _main_job(bench, name, dataset)
    finally:
        deleted = bench.run("delete", name, "--purge", stdin=f"{name}\n")
    assert deleted.returncode == 0, deleted.stderr


def _main_job(bench: Bench, name: str, dataset: Path) -> None:
    doctor = bench.json("doctor")
    (engine,) = [row for row in doctor if row["name"] == "Docker engine"]
    assert DESCRIBED[bench.kind] in engine["detail"]
    assert f"{bench.engine.url} (DOCKER_HOST)" in engine["detail"]

    made = bench.json(
        "create", name, "--yes", "--admin-username", ADMIN, "--admin-email", "head@example.org",
        "--password-stdin", *ports(), "--bucket", "pets", stdin=f"{PASSWORD}\n",
    )  # fmt: skip
    assert made["status"] == "ready"
    bench.json("upload", name, str(dataset), "--bucket", "pets")
    assert bench.json("status", name)["buckets"][0]["objects"] == 4
    assert (bench.home.buckets / "pets" / "a.png").is_file()
    counts = bench.json("preview", name)["counts"]
    assert (counts["create"], counts["update"], counts["replace"], counts["delete"]) == (0, 0, 0, 0)

    _own_folder(bench, name)

    refused = bench.run("create", "far", "--yes", "--remote-bucket", "far@https://s3.example.org")
    assert refused.returncode == 2
    assert "buckets.0: a remote bucket cannot be mounted with Docker" in refused.stderr
    if bench.kind == "rootless":
        owner = (bench.home.buckets / "pets").stat().st_uid
        assert owner == pwd.getpwnam(bench.engine.owner).pw_uid


def _own_folder(bench: Bench, name: str) -> None:
    """A folder that others may read becomes a bucket; one that they may not is refused."""
    folder = bench.home.root.parent / "own"
    folder.mkdir(mode=0o700)
    (folder / "a.png").write_bytes(b"x")
    (folder / "shut.png").write_bytes(b"x")
    (folder / "shut.png").chmod(0o600)
    owner = pwd.getpwnam(bench.engine.owner).pw_uid
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner, -1)
    refused = bench.run("set", name, f"buckets+=own={folder}", "--yes")
    assert refused.returncode == 2
    assert f"buckets.1.path: CVAT's user cannot open {folder}: let others read it" in refused.stderr
    folder.chmod(0o755)
    own = bench.json("set", name, f"buckets+=own={folder}", "--yes")["buckets"][1]
    assert (own["path"], own["first_unreadable"]) == (str(folder), ["shut.png"])
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {owner}
