"""A Docker engine: the machine's own, else Debian's docker.io, started by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from labelspace.home import Home
from testbed.parts import Part
from testbed.shell import SetupError, apt_install, run, timed, works

WHAT_TO_INSTALL = (
    "No Docker engine answers. Install one (Debian: `apt-get install docker.io`; else Docker Desktop or"
    " Docker Engine), start it, let your user use it (`docker version` must show a server), and try again."
)


def prepare(home: Home) -> Part:
    """Find or start an engine; raises ``SetupError`` that says what to install."""
    if _answers():
        version = run(["docker", "version", "--format", "{{.Server.Version}}"]).strip()
        return Part("Docker engine", "official", f"{version}, found running")
    if os.geteuid() != 0 or not (shutil.which("dockerd") or shutil.which("apt-get")):
        raise SetupError(WHAT_TO_INSTALL)
    if not shutil.which("dockerd"):
        with timed("installing Debian's docker.io"):
            apt_install("docker.io", "iptables")
    _start(home)
    return Part("Docker engine", "real, built here", "Debian's docker.io, started here because none answered")


def _answers() -> bool:
    return works(["docker", "version", "--format", "{{.Server.Version}}"], timeout=20)


def _start(home: Home) -> None:
    run(["mount", "--make-rshared", "/"])  # as systemd does: else no container's mount reaches another
    log = home.root / "testbed" / "dockerd.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with timed("starting the Docker engine"), log.open("ab") as out:
        engine = subprocess.Popen(["dockerd"], stdout=out, stderr=out, start_new_session=True)
        while not _answers():
            if engine.poll() is not None:
                raise SetupError(f"dockerd ended with {engine.returncode}; see {log}. {WHAT_TO_INSTALL}")
            time.sleep(0.5)
