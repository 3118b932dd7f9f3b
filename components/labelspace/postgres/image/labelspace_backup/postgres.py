"""Questions to a PostgreSQL server of this container, and a server of one's own over a restored folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .programs import FailedError, becoming, run
from .settings import Settings

RUNNING = "/var/run/postgresql"
"""The socket folder of the workspace's own server."""
POLL_SECONDS = 0.3
TRUST = "local all all trust\n"
SCRAM = "host all all all scram-sha-256\n"


def ask(settings: Settings, sql: str, socket: str = RUNNING) -> str:
    """The server's answer, rows by lines, columns by tabs; raises ``FailedError``."""
    command = ["psql", "-q", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", socket]
    said = run([*command, "-U", settings.user, "-d", settings.database], stdin=sql)
    return said.strip("\n")  # tabs stay: a last column may be empty


def make_empty(folder: Path) -> None:
    """A folder for a server, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    shutil.chown(folder, "postgres", "postgres")


@contextmanager
def server(
    folder: Path, settings: Settings, *, archive: bool, network: bool = False
) -> Iterator[tuple[str, Path]]:
    """A server over ``folder``: its socket's folder, and its log. Ends in order.

    No network reaches it, or with ``network`` who knows its password.
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
                preexec_fn=becoming("postgres"),  # noqa: PLW1509 - the program has one thread
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
    """Recovery has no deadline: it takes as long as there are changes to replay."""
    while started.poll() is None:
        try:
            if ask(settings, "select pg_is_in_recovery()", socket) == "f":
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
