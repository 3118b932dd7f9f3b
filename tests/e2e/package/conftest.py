"""The built wheel in a clean environment, used by somebody who has Docker, and who is not root if we are.

Nothing of the clone is in reach: another folder, another home, no PYTHONPATH. Pulumi's programs and plugins
come from the testbed as copies, because here they cannot be downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.paths import ROOT

from labelspace.home import Home

NOBODY = 65534
SOCKET = Path("/var/run/docker.sock")


def _uv(*arguments: str) -> None:
    own = Home.find().tools / "uv" / "bin" / "uv"
    subprocess.run([str(own) if own.exists() else "uv", *arguments, "--quiet"], check=True, cwd=ROOT)


def _python() -> str:
    """An interpreter that every user of this machine may run."""
    real = Path(sys.executable).resolve()
    public = all(folder.stat().st_mode & 0o001 for folder in real.parents)
    return str(real) if public else "/usr/bin/python3"


@dataclass
class Person:
    """Somebody at a shell, with a home folder of their own."""

    folder: Path
    """Holds the environment, the home folder and the folders that the person works in."""
    identity: dict[str, Any] = field(default_factory=dict)

    @property
    def bin(self) -> Path:
        return self.folder / "environment" / "bin"

    @property
    def home(self) -> Home:
        return Home(self.folder / "home" / ".labelspace")

    def make(self, name: str) -> Path:
        """A new folder of the person's own."""
        folder = self.folder / name
        folder.mkdir()
        if self.identity:
            os.chown(folder, NOBODY, NOBODY)
        return folder

    def env(self) -> dict[str, str]:
        path = os.pathsep.join((str(self.bin), "/usr/local/bin", "/usr/bin", "/bin"))
        home = str(self.folder / "home")
        return {"PATH": path, "HOME": home, "USER": "nobody", "LANG": "C.UTF-8"}

    def run(
        self, folder: Path, *command: str, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """A command as the person types it in ``folder``."""
        return subprocess.run(
            command, cwd=folder, env={**self.env(), **variables}, input=stdin,
            capture_output=True, text=True, check=False, umask=0o022, **self.identity,
        )  # fmt: skip

    def json(self, folder: Path, *arguments: str, stdin: str = "") -> Any:
        """The JSON of a ``labelspace`` command that must succeed."""
        done = self.run(folder, "labelspace", *arguments, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _uv("build", "--wheel", "--out-dir", str(folder))
    (found,) = folder.glob("labelspace-*.whl")
    return found


@pytest.fixture(scope="session")
def person(wheel: Path) -> Iterator[Person]:
    """With the wheel installed: the core, no extras."""
    with tempfile.TemporaryDirectory(prefix="labelspace-package-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment = folder / "environment"
        _uv("venv", "--python", _python(), str(environment))
        _uv(
            "pip",
            "install",
            "--compile-bytecode",
            "--python",
            str(environment / "bin" / "python"),
            str(wheel),
        )
        one = Person(folder, _identity())
        one.make("home")
        _copy_tools(one)
        yield one


def _identity() -> dict[str, Any]:
    """How a process becomes somebody who is not root but may use Docker; empty where we are not root."""
    if os.geteuid():
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [SOCKET.stat().st_gid]}


def _copy_tools(person: Person) -> None:
    """Pulumi and its plugins as the testbed has them; the stand-in of ``random`` gets a new environment."""
    source, home = Home.find(), person.home
    shutil.copytree(source.pulumi_root, home.pulumi_root)
    for plugin in ("docker", "random"):
        folder = f"resource-{plugin}-v{version(f'pulumi-{plugin}')}"
        shutil.copytree(source.pulumi_home / "plugins" / folder, home.pulumi_home / "plugins" / folder)
    if (home.pulumi_root / "built-here").exists():
        _renew_stand_in(person, home.pulumi_home / "plugins" / f"resource-random-v{version('pulumi-random')}")
    if person.identity:
        for path in (home.root, *home.root.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def _renew_stand_in(person: Person, plugin: Path) -> None:
    python = person.folder / "random" / "bin" / "python"
    _uv("venv", "--python", _python(), str(person.folder / "random"))
    _uv("pip", "install", "--python", str(python), f"pulumi=={version('pulumi')}", "bcrypt")
    (plugin / "pulumi-resource-random").write_text(
        f'#!/bin/sh\nexec {python} "$(dirname "$0")/provider.py" "$@"\n'
    )
