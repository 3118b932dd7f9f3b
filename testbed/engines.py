"""Engines next to the machine's own: rootless Docker, and Docker with ``userns-remap``.

Each has a folder, a socket and processes of its own, which end with it. Those that run as root are in a
network namespace of their own: two dockerd in one would flush each other's firewall rules.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.shell import SetupError, apt_install, run, works

PACKAGES = (
    "rootlesskit",
    "slirp4netns",
    "uidmap",
    "fuse-overlayfs",
)
NEEDED = ("rootlesskit", "slirp4netns", "newuidmap", "ip", "nsenter", "dockerd")
ROOTLESS = Path("/usr/share/docker.io/contrib/dockerd-rootless.sh")
ROOTLESS_USER, REMAPPED_USER = "labelspace-rootless", "dockremap"


@dataclass(frozen=True)
class OtherEngine:
    """A running engine; ``enter`` is put before a command that must reach its published ports."""

    socket: Path
    enter: tuple[str, ...] = ()
    owner: str = "root"
    """Who owns the folders that it binds."""

    @property
    def url(self) -> str:
        """For ``DOCKER_HOST``."""
        return f"unix://{self.socket}"


def missing() -> str:
    """Install what the engines need; return why they cannot run here, or nothing."""
    if os.geteuid() != 0:
        return "another engine needs root"
    if not all(shutil.which(program) for program in NEEDED):
        try:
            apt_install(*PACKAGES)
        except SetupError as error:
            return f"another engine needs {', '.join(PACKAGES)}: {error}"
    lacking = [program for program in NEEDED if not shutil.which(program)]
    return f"another engine needs {', '.join(lacking)}" if lacking else ""


@contextmanager
def rootless_docker(folder: Path) -> Iterator[OtherEngine]:
    """Docker of a user without rights, as ``dockerd-rootless.sh`` of Debian starts it."""
    _add_user(ROOTLESS_USER)
    user = pwd.getpwnam(ROOTLESS_USER)
    for device in ("/dev/net/tun", "/dev/fuse"):
        Path(device).chmod(0o666)  # as udev does
    runtime_folder = folder / "run"
    runtime_folder.mkdir()
    for one in (folder, runtime_folder):
        os.chown(one, user.pw_uid, user.pw_gid)
    identity = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups")
    variables = {
        "XDG_RUNTIME_DIR": str(runtime_folder),
        "HOME": str(folder),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    command = [*identity, str(ROOTLESS), "--data-root", str(folder / "data")]
    socket = runtime_folder / "docker.sock"
    with _process(command, folder / "engine.log", lambda: _answers(socket), env=variables):
        yield OtherEngine(socket, owner=ROOTLESS_USER)


@contextmanager
def remapped_docker(folder: Path) -> Iterator[OtherEngine]:
    """Docker as root whose containers' users are others outside."""
    _add_user(REMAPPED_USER)
    socket = folder / "docker.sock"
    with _network(folder) as enter:
        roots = [
            f"--data-root={folder / 'data'}",
            f"--exec-root={folder / 'exec'}",
            f"--pidfile={folder / 'pid'}",
        ]
        command = [*enter, "dockerd", "--userns-remap=default", *roots, "-H", f"unix://{socket}"]
        with _process(command, folder / "engine.log", lambda: _answers(socket)):
            yield OtherEngine(socket, enter)


def load(engine: OtherEngine, images: list[str]) -> None:
    """Hand images of this machine's engine on."""
    client = ["docker", "-H", engine.url]
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
        subprocess.run([*client, "load", "--quiet"], stdin=saved.stdout, check=True, capture_output=True)


@contextmanager
def _network(folder: Path) -> Iterator[tuple[str, ...]]:
    """A network namespace with a way out, which needs no rule of the machine's firewall."""
    name = f"labelspace-{os.getpid()}-{folder.name}"[:60]
    run(["ip", "netns", "add", name])
    enter = ("nsenter", f"--net=/run/netns/{name}")
    try:
        run([*enter, "ip", "link", "set", "lo", "up"])
        way_out = ["slirp4netns", "--configure", "--netns-type=path", f"/run/netns/{name}", "tap0"]
        up = [*enter, "ip", "address", "show", "tap0", "up"]
        with _process(way_out, folder / "slirp.log", lambda: works(up)):
            yield enter
    finally:
        run(["ip", "netns", "delete", name])


@contextmanager
def _process(
    command: list[str], log: Path, ready: Callable[[], bool], env: dict[str, str] | None = None
) -> Iterator[None]:
    """A process group that runs meanwhile; raises ``SetupError`` when it does not become ready."""
    with ExitStack() as stack, log.open("wb") as out:
        started = subprocess.Popen(command, stdout=out, stderr=out, env=env, start_new_session=True)
        stack.callback(_end, started)
        deadline = time.monotonic() + 60
        while not ready():
            if started.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"{command[-1]}: it does not start: {log.read_text()[-500:]}")
            time.sleep(0.3)
        yield


def _end(started: subprocess.Popen[bytes]) -> None:
    started.send_signal(signal.SIGTERM)
    try:
        started.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _answers(socket: Path) -> bool:
    return works(["docker", "-H", f"unix://{socket}", "version"], timeout=20)


def _add_user(name: str) -> None:
    """A user without rights, with 65,536 subordinate ids that nobody else has."""
    if not works(["id", name]):
        run(["useradd", "--system", "--shell=/usr/sbin/nologin", "--home-dir=/nonexistent", name])
    for file in (Path("/etc/subuid"), Path("/etc/subgid")):
        rows = [line.split(":") for line in file.read_text().splitlines() if line.strip()]
        if name not in [row[0] for row in rows]:
            first = max([int(row[1]) + int(row[2]) for row in rows], default=100_000)
            with file.open("a") as out:
                out.write(f"{name}:{first}:65536\n")
