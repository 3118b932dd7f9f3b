"""Calls of Pulumi's command: its environment, its program and its answers.

Commands that only read state use this module: the Automation API takes half a second to load.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labelspace import docker_endpoint
from labelspace.home import Home, write_once
from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.foreign_variables import dropped
from labelspace_ops.core.library_errors import reason
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import backend, declared, project
from labelspace_ops.stack.pulumi_errors import error_of

QUIET = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


def environment(home: Home) -> dict[str, str]:
    """The environment variables for Pulumi; they name the passphrase's file, not the passphrase.

    On a stack of the user's own program they are the user's.
    """
    return {
        **(dropped() if declared.current() else _own(home)),
        **QUIET,
        "LABELSPACE_HOME": str(home.root),
        "PATH": os.pathsep.join(
            [str(home.pulumi_root / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        ),
        **_engine(),
    }


def _own(home: Home) -> dict[str, str]:
    return {
        "PULUMI_HOME": str(home.pulumi_home),
        "PULUMI_BACKEND_URL": backend.current_url(home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home.passphrase),
    }


def _engine() -> dict[str, str]:
    """The variables for the Docker provider; a context that cannot be read is reported where it is needed."""
    try:
        return docker_endpoint.find().environment()
    except ValueError:
        return {}


def prepare_home(home: Home) -> None:
    """Create the folders and, once, the passphrase that encrypts the secrets of settings and state."""
    home.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.locks.mkdir(parents=True, exist_ok=True)
    if not home.passphrase.exists():
        write_once(home.passphrase, secrets.token_urlsafe(32))


def prepare(home: Home) -> None:
    """Create the home and, where there is no other project, the home's own one: before something is made."""
    prepare_home(home)
    project.prepare(project.find(home), home)
    check(home)


def check(home: Home) -> None:
    """Make this process able to call Pulumi; write nothing.

    Raises ``UsageError`` when the project pins another version of labelspace.
    """
    if not declared.current():
        project.check_version(project.find(home))
    proxies.exempt_own("http://127.0.0.1")  # Pulumi's parts talk to each other there


def require_passphrase(home: Home) -> None:
    """Raise ``OpsError`` in a home that cannot decrypt any state."""
    if not declared.current() and not home.passphrase.exists():
        raise OpsError(
            f"{home.passphrase}: there is no passphrase, which the state needs: run `labelspace keys export"
            " FILE` where the workspace was made, then `labelspace keys import FILE` here"
        )


def pulumi_binary(home: Home) -> str:
    """The ``pulumi`` program of the SDK's version: in the home, else on PATH, else a new download.

    Where it cannot be downloaded, another version on PATH is used, and a message says so.
    """
    own, marker = home.pulumi_root / "bin" / "pulumi", home.pulumi_root / "version"
    if own.exists() and (not marker.exists() or marker.read_text() == version("pulumi")):
        return str(own)
    on_path = _version_on_path()
    if on_path == version("pulumi"):
        return "pulumi"
    try:
        download(home)
    except OpsError as error:
        if not on_path:
            raise
        message(f"Pulumi {on_path} is used, which labelspace was not tested with: {error}")
        return "pulumi"
    return str(own)


@cache
def _version_on_path() -> str:
    """The version of the ``pulumi`` on PATH; empty when there is none."""
    return program_version("pulumi") if shutil.which("pulumi") else ""


def program_version(program: str) -> str:
    """The version that a ``pulumi`` program reports."""
    done = subprocess.run(
        [program, "version"], capture_output=True, text=True, check=False, env={**os.environ, **QUIET}
    )
    return done.stdout.strip().removeprefix("v")


def download(home: Home) -> None:
    """Install the ``pulumi`` of the SDK's version into the home; raises ``OpsError``."""
    from pulumi.automation import PulumiCommand  # noqa: PLC0415 - slow to load, and needed once per machine
    from semver import VersionInfo  # noqa: PLC0415

    message(f"Pulumi {version('pulumi')}: downloading it")
    try:
        PulumiCommand.install(root=str(home.pulumi_root), version=VersionInfo.parse(version("pulumi")))
    except Exception as error:
        raise OpsError(
            f"Pulumi {version('pulumi')} cannot be downloaded ({reason(error)}): check the network, or put it"
            " on PATH"
        ) from None
    (home.pulumi_root / "version").write_text(version("pulumi"))


def query(home: Home, *arguments: str, url: str = "") -> Any:
    """The JSON output of a ``pulumi`` command; raises ``OpsError`` with the reason that Pulumi reports.

    ``url``: of another backend than the current project's.
    """
    check(home)
    other = {"PULUMI_BACKEND_URL": url} if url else {}
    done = subprocess.run(
        [pulumi_binary(home), *arguments, "--non-interactive"],
        env={**os.environ, **environment(home), **other}, cwd=project.work_folder(home),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise error_of(done.stderr)
    return json.loads(done.stdout)
