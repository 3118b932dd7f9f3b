"""What acts inside a server at Scaleway, over SSH from ``scaleway.ssh_cidrs``: dumps of a managed database,
restores, drills; and its Docker engine, through a tunnel."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import docker
from docker.errors import DockerException

from labelspace.home import Home
from labelspace.spec import Settings
from labelspace_ops.backup import agent
from labelspace_ops.backup.models import BackupRow, BackupTaken, Proof, Restored
from labelspace_ops.backup.restore_plan import parse_time
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import retained
from labelspace_ops.targets.scaleway.account import UUID

PROGRAM = "labelspace-backup"
"""The backup program on the server, for a managed database."""
MOUNT = re.compile(r"bucket (\S+) (is not mounted|cannot be listed)")
"""As ``labelspace-check`` says it."""
NO_SSH = "ssh is not on this machine: install OpenSSH's client"
CANNOT_CONNECT = 255
"""What ``ssh`` ends with by itself."""


TUNNEL = ("ExitOnForwardFailure=yes", "StreamLocalBindUnlink=yes", "ServerAliveInterval=15")
SOCKET = "/var/run/docker.sock"


Given = IO[bytes] | int


class UnreachableError(OpsError):
    """Nobody answers, or lets this machine in."""


@dataclass(frozen=True)
class Server:
    """Where a workspace's server is, and how it is talked to."""

    name: str
    address: str
    options: tuple[str, ...]

    def run(self, *command: str, ends: tuple[int, ...] = (0,)) -> str:
        """What a command says on the server; raises ``OpsError`` with why it cannot be asked, or failed.

        ``ends`` are the exit codes with which it has an answer.
        """
        return self._said(command, subprocess.DEVNULL, ends)

    def send(self, file: Path, where: str) -> None:
        """Copy a file to a place on the server; raises ``OpsError`` as ``run`` does."""
        with file.open("rb") as content:
            self._said(("tee", where), content, (0,), into=subprocess.DEVNULL)

    def _said(
        self, command: tuple[str, ...], stdin: Given, ends: tuple[int, ...], into: int = subprocess.PIPE
    ) -> str:
        words = ["ssh", *self.options, f"root@{self.address}", shlex.join(command)]
        try:
            done = subprocess.run(
                words, stdout=into, stderr=subprocess.PIPE, text=True, check=False, stdin=stdin
            )
        except FileNotFoundError:
            raise OpsError(NO_SSH) from None
        said = (done.stderr.strip() or (done.stdout or "").strip()).rpartition("\n")[2]
        if done.returncode == CANNOT_CONNECT:
            raise self._unreachable(said)
        if done.returncode not in ends:
            raise OpsError(f"{self.name}: {command[0]} failed on the server: {said}")
        return done.stdout or ""

    def _unreachable(self, said: str) -> UnreachableError:
        return UnreachableError(
            f"{self.name}: the server cannot be reached by SSH ({said}): its port 22 is open to"
            f" scaleway.ssh_cidrs alone: `labelspace set {self.name} scaleway.ssh_cidrs=NETWORKS`, with"
            " yours among them and commas between; it gets another server, data and URL stay"
        )

    @contextmanager
    def engine(self) -> Iterator[DockerRuntime]:
        """The server's Docker engine, as if it were this machine's; raises ``OpsError`` as ``run`` does."""
        with tempfile.TemporaryDirectory(prefix="labelspace-") as folder:  # which nobody else may enter
            socket = Path(folder) / "docker.sock"
            with self._tunnel(socket):
                client = docker.DockerClient(base_url=f"unix://{socket}", timeout=120)
                try:
                    yield DockerRuntime(client, self.name)
                except DockerException as error:
                    raise OpsError(f"{self.name}: the server's engine: {error}") from None
                finally:
                    client.close()

    @contextmanager
    def _tunnel(self, socket: Path) -> Iterator[None]:
        flags = [word for option in TUNNEL for word in ("-o", option)]
        words = ["ssh", "-nNT", *self.options, *flags, "-L", f"{socket}:{SOCKET}", f"root@{self.address}"]
        try:
            tunnel = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError:
            raise OpsError(NO_SSH) from None
        with tunnel:
            try:
                self._until_open(tunnel, socket)
                yield
            finally:
                tunnel.terminate()

    def _until_open(self, tunnel: subprocess.Popen[str], socket: Path) -> None:
        """It ends by itself when it cannot be opened."""
        while not socket.exists():
            if tunnel.poll() is not None:
                said = tunnel.stderr.read() if tunnel.stderr else ""
                raise self._unreachable(said.strip().rpartition("\n")[2])
            time.sleep(0.05)


def ssh_allowed(settings: Settings) -> bool:
    """Whether the server of a workspace may be asked over SSH."""
    return bool(settings.get("scaleway", {}).get("ssh_cidrs")) and bool(settings.get("running", True))


def public_key(name: str, home: Home) -> str:
    """The public half of the workspace's own key, which is made when there is none."""
    private = home.server_key(name)
    if not private.exists():
        home.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        _keygen("-t", "ed25519", "-N", "", "-C", f"labelspace-{name}", "-f", str(private))
        private.with_suffix(".pub").unlink()  # a recovery kit holds the private one alone
    return _keygen("-y", "-f", str(private)).strip()


def _keygen(*words: str) -> str:
    try:
        made = ["ssh-keygen", "-q", *words]
        return subprocess.run(
            made, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise OpsError(
            f"ssh-keygen: no key could be made ({error}): install OpenSSH's client,"
            " or set scaleway.ssh_public_key"
        ) from None


def server_of(name: str, home: Home) -> Server:
    """The server of a workspace at Scaleway."""
    return connect(name, state.resources(name, home), home)


def connect(name: str, resources: retained.Resources, home: Home, patience: int = 15) -> Server:
    """The same, for what its stack knows to exist; ``patience``: seconds that it has to answer in."""
    ids = [retained.bare_id(one) for one in retained.resources_of_type(resources, retained.SERVER)]
    known = home.keys / f"hosts-{ids[0] if ids else name}"  # another server, another key
    options = ["BatchMode=yes", f"ConnectTimeout={patience}", "StrictHostKeyChecking=accept-new"]
    options += [f"UserKnownHostsFile={known}", "LogLevel=ERROR"]
    private = home.server_key(name)
    mine = ["-i", str(private)] if private.exists() else []
    flags = [word for option in options for word in ("-o", option)]
    addresses = retained.resources_of_type(resources, retained.ADDRESS)
    address = str(addresses[0].outputs["address"]) if addresses else ""
    return Server(name, address, (*flags, *mine))


def call(server: Server, verb: str, **given: Any) -> Any:
    """The answer of the backup program on the server; raises ``OpsError`` with its reason."""
    said = server.run(PROGRAM, verb, json.dumps(given), ends=agent.PROGRAM_EXIT_CODES)
    try:
        return agent.parse_answer(said)
    except OpsError as error:
        raise OpsError(f"{server.name}: {error}") from None


def dumps(server: Server) -> list[BackupRow]:
    """The dumps in the backup bucket with their proofs, oldest first."""
    return agent.parse_rows(call(server, "list"))


def mounts(server: Server) -> dict[str, str]:
    """What the server found wrong with its buckets at its last look, by the bucket's name.

    Raises ``OpsError`` when it cannot be asked, or has not looked since its boot. Not as patient as others:
    nobody asked for it.
    """
    quick = replace(server, options=("-o", "ConnectTimeout=5", *server.options))
    found = (MOUNT.fullmatch(line) for line in quick.run("cat", "/run/labelspace/check").splitlines())
    return {one[1]: one[2] for one in found if one}


def backup(server: Server) -> BackupTaken:
    """Dump now."""
    return BackupTaken(name=server.name, **call(server, "backup"))


def select_dump(server: Server, *, to: str = "", backup: str = "") -> BackupRow:
    """The dump that a restore would take: the one that is named, or the newest of that moment or before."""
    made = dumps(server)
    if to and backup:
        raise UsageError("to, backup: give one of them")
    if re.fullmatch(UUID, backup):
        raise UsageError(
            f"backup: {backup} is a snapshot, which becomes another instance in Scaleway's console:"
            f" a restore takes a dump (`labelspace backups {server.name}`)"
        )
    if backup:
        made = [row for row in made if row.id == backup]
    elif to:
        made = [row for row in made if datetime.fromisoformat(row.when) <= parse_time(to)]
    if not made:
        wanted = f"backup {backup!r}" if backup else f"dump of {to} or before" if to else "dump"
        raise UsageError(f"{server.name}: there is no {wanted}: see `labelspace backups {server.name}`")
    return made[-1]


def restore(server: Server, row: BackupRow) -> Restored:
    """Bring the annotations to a dump; what is there now is dumped first."""
    kept = backup(server).id
    server.run("labelspace-restore", f"{row.id}.dump")
    return Restored(
        name=server.name,
        to=row.when,
        from_backup=row.id,
        last_change=None,
        kept=kept,
        lost=f"what was annotated after {row.when}",
    )


def drill(server: Server, row: BackupRow) -> Proof:
    """Restore a dump into a scratch database on the server, and compare it with its record."""
    began = time.monotonic()
    try:
        return Proof.read(call(server, "drill", backup=row.id))
    except OpsError as error:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        seconds = round(time.monotonic() - began, 1)
        return Proof(backup=row.id, when=when, ok=False, reason=str(error), seconds=seconds)
