"""PostgreSQL servers of this container: the workspace's own, and scratch servers over a restored folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .programs import FailedError, drop_privileges, run
from .session import PSQL, Ask
from .settings import Settings

RUNNING = "/var/run/postgresql"
"""The socket folder of the workspace's own server."""
POLL_SECONDS = 0.3
TRUST = "local all all trust\n"
SCRAM = "host all all all scram-sha-256\n"


def psql(settings: Settings, socket: str = RUNNING) -> list[str]:
    """The command of ``psql`` for a server by its socket's folder."""
    return [*PSQL, "-h", socket, "-U", settings.user, "-d", settings.database]


def asker(settings: Settings, socket: str = RUNNING) -> Ask:
    """Runs each statement in a connection of its own."""
    return lambda sql: run(psql(settings, socket), stdin=sql).strip("\n")


def make_empty(folder: Path) -> None:
    """An empty folder for a server's data."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    shutil.chown(folder, "postgres", "postgres")


def initialise(folder: Path, settings: Settings, hba: str = "") -> None:
    """A new cluster with an empty database; ``hba``: lines for its ``pg_hba.conf``."""
    make_empty(folder)
    run(["initdb", "-D", str(folder), "-U", settings.user, "--data-checksums", "--encoding=UTF8"])
    with (folder / "pg_hba.conf").open("a") as rules:
        rules.write(hba)
    run(
        ["postgres", "--single", "-D", str(folder), "postgres"],
        stdin=f"create database {settings.database};\n",
    )


@contextmanager
def server(
    folder: Path, settings: Settings, *, archive: bool, network: bool = False
) -> Iterator[tuple[str, Path]]:
    """A server over ``folder``: its socket's folder and its log. It is shut down in order.

    Without ``network`` it listens on no port; with it, clients need its password. Raises ``FailedError`` with
    the FATAL lines of its log when it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="labelspace-") as name:
        place = Path(name)
        place.chmod(0o777)
        (place / "hba").write_text(TRUST + (SCRAM if network else ""))
        log = place / "log"
        with log.open("w") as out:
            started = subprocess.Popen(
                _command(folder, place, archive=archive, network=network),
                stdout=out,
                stderr=out,
                preexec_fn=drop_privileges("postgres"),  # noqa: PLW1509 - the program has one thread
                cwd="/",
            )
        try:
            _until_promoted(started, settings, name, log)
            yield name, log
        finally:
            _stop(started, folder)


def _command(folder: Path, place: Path, *, archive: bool, network: bool) -> list[str]:
    options = {
        "listen_addresses": "*" if network else "",
        "unix_socket_directories": str(place),
        "hba_file": str(place / "hba"),
        "archive_mode": "on" if archive else "off",
        "archive_command": f"pgbackrest --stanza=main --pg1-path={folder} archive-push %p",
        "shared_buffers": "128MB",
        "wal_level": "replica",
        "logging_collector": "off",
        "log_destination": "stderr",
        "autovacuum": "off",
    }
    words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    return ["postgres", "-D", str(folder), *words]


def _until_promoted(started: subprocess.Popen[bytes], settings: Settings, socket: str, log: Path) -> None:
    """Without a time limit: recovery lasts as long as there are changes to replay."""
    ask = asker(settings, socket)
    while started.poll() is None:
        try:
            if ask("select pg_is_in_recovery()") == "f":
                return
        except FailedError:
            pass
        time.sleep(POLL_SECONDS)
    raise FailedError(f"postgres: {_reasons(log.read_text())}")


def _reasons(text: str) -> str:
    lines = [line for line in text.splitlines() if "FATAL" in line or "PANIC" in line]
    return " ".join(lines[-2:]) or text[-400:]


def _stop(started: subprocess.Popen[bytes], folder: Path) -> None:
    if started.poll() is None:
        run(["pg_ctl", "stop", "-D", str(folder), "-m", "fast", "-w", "-t", "300"])
    started.wait()
