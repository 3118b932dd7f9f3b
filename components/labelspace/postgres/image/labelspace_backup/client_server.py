"""The logical engine on a server at Scaleway: PostgreSQL in containers, rclone for the backup bucket."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from . import drill, drill_results, files, logical, record
from .engine import Backup
from .programs import FailedError, last_lines, run
from .scratch import Scratch
from .session import PSQL
from .settings import Settings

WORK = Path("/var/lib/labelspace")
"""On the data volume, which has space for a dump."""
CLIENT = "labelspace-postgres"
"""Runs a PostgreSQL program that is connected to the database."""
RCLONE = ("rclone", "--config", "/run/labelspace/rclone.conf")
NO_FOLDER = 3
"""rclone's exit code when nothing is under a prefix."""
CVAT = ("--username=cvat", "--dbname=cvat")
TIMEOUT_SECONDS = 300
MIGRATE = "django-admin migrate --no-input && django-admin migrate --check"
DATA = "--volume=labelspace-data:/home/django/data:ro"
"""CVAT's files are there to read."""
LIMITS = ("--user=1000:1000", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=1g", "--init")


class Bucket:
    """The backup bucket."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fetch(self, path: str, into: Path) -> None:
        """Copy an object into a file."""
        run([*RCLONE, "copyto", self._remote(path), str(into)], user="root")

    def put(self, file: Path, path: str) -> None:
        """Copy a file into an object, whole or not at all."""
        run([*RCLONE, "copyto", str(file), self._remote(path)], user="root")

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each object of a folder; empty when there is no folder."""
        rows = json.loads(self._of_folder("lsjson", "--files-only", folder=folder) or "[]")
        return {row["Name"]: row["Size"] for row in rows}

    def lines(self, folder: str) -> list[str]:
        """The lines of all objects of a folder; none when there is no folder."""
        return self._of_folder("cat", folder=folder).splitlines()

    def _of_folder(self, *words: str, folder: str) -> str:
        done = subprocess.run([*RCLONE, *words, self._remote(folder)], capture_output=True, check=False)
        if done.returncode not in (0, NO_FOLDER):
            raise FailedError(f"rclone {words[0]}: {last_lines(done.stderr.decode(errors='replace'))}")
        return done.stdout.decode() if done.returncode == 0 else ""

    def _remote(self, path: str) -> str:
        return f"storage:{self.name}/{path}"


class BucketDumps:
    """Dumps as objects ``dumps/ID.dump``, each with its record ``dumps/ID.json``; the bucket expires them."""

    def __init__(self, bucket: Bucket, work: Path = WORK) -> None:
        self._bucket, self._work = bucket, work

    def backups(self) -> list[Backup]:
        """Every dump, oldest first; records are left out: each would be an object to fetch."""
        names = sorted(name for name in self._bucket.sizes("dumps").items() if name[0].endswith(".dump"))
        return [logical.of_label(name.removesuffix(".dump"), size, None) for name, size in names]

    def put(self, label: str, dump: Path, taken: record.Record, *, throttled: bool = False) -> None:
        """The record first, so that no dump is without."""
        written = dump.with_name("record")
        written.write_text(json.dumps({"dump": label, **asdict(taken), "bytes": dump.stat().st_size}))
        self._bucket.put(written, f"dumps/{label}.json")
        self._bucket.put(dump, f"dumps/{label}.dump")

    def fetch(self, label: str, into: Path) -> None:
        """Copy a dump into a file."""
        self._bucket.fetch(f"dumps/{label}.dump", into)

    def expected(self, label: str) -> record.Record | None:
        """The record of a dump, None for a dump without one; raises ``FailedError`` for a damaged record."""
        if f"{label}.json" not in self._bucket.sizes("dumps"):
            return None
        with tempfile.TemporaryDirectory(prefix="record.", dir=self._work) as folder:
            file = Path(folder, "record")
            self._bucket.fetch(f"dumps/{label}.json", file)
            try:
                values = json.loads(file.read_text())
                return record.parse({**values, "sha256": values["sha256"]})
            except (ValueError, KeyError, TypeError, AttributeError):
                raise FailedError("its record is damaged: nothing can be compared with it") from None

    def check_files(self, backup: Backup, media: files.Media) -> files.Checked:
        """CVAT's files are on a volume of their own, which no dump holds."""
        return files.Checked()

    def accept(self, label: str) -> None:
        """There is nothing to agree to."""
        raise FailedError("these backups hold no files of CVAT")


class BucketDrillResults:
    """Results of drills as objects ``proofs/ID.json``."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def write(self, result: drill_results.DrillResult) -> None:
        """In place of the dump's older result."""
        with tempfile.TemporaryDirectory(prefix="proof.", dir=WORK) as folder:
            file = Path(folder, "proof")
            file.write_text(json.dumps(result) + "\n")
            self._bucket.put(file, f"proofs/{result['backup'] or 'none'}.json")

    def read(self) -> list[drill_results.DrillResult]:
        """All results, newest last."""
        return drill_results.parse(self._bucket.lines("proofs"))


class ServerContext:
    """PostgreSQL's programs in containers of the server."""

    work = WORK

    def __init__(self, image: str) -> None:
        self._image = image

    def client(self, *words: str) -> list[str]:
        """By the script that knows host, password and certificate."""
        return [CLIENT, *words]

    @contextmanager
    def scratch(self, dump: Path, *, network: str = "none") -> Iterator[Scratch]:
        """A PostgreSQL container of its own, which trusts every client that ``network`` lets reach it."""
        name = f"labelspace-scratch-{os.getpid()}"
        trust = ("--env=POSTGRES_USER=cvat", "--env=POSTGRES_HOST_AUTH_METHOD=trust")
        reached = (f"--network={network}", *([] if network == "none" else ["--network-alias=scratch"]))
        inside = ("docker", "exec", "--interactive", name)
        try:
            docker("run", "--detach", f"--name={name}", *reached, *trust, self._image)
            _wait_until_ready(inside)
            _restore(inside, dump)
            yield Scratch(lambda sql: run([*inside, *PSQL, *CVAT, "--command", sql], user="root").strip("\n"))
        finally:
            _remove("rm", "--force", "--volumes", name)


def docker(*words: str) -> str:
    """Call Docker; raises ``FailedError``."""
    return run(["docker", *words], user="root")


def _remove(*words: str) -> None:
    subprocess.run(["docker", *words], capture_output=True, check=False)


def _wait_until_ready(inside: tuple[str, ...]) -> None:
    """Over TCP: the server that only initialises the data listens on no port."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    ready = [*inside, "pg_isready", "--quiet", "--host=127.0.0.1"]
    while subprocess.run(ready, capture_output=True, check=False).returncode:
        run([*inside, "true"], user="root")
        if time.monotonic() > deadline:
            raise FailedError(f"the scratch database did not start in {TIMEOUT_SECONDS} s")
        time.sleep(1)


def _restore(inside: tuple[str, ...], dump: Path) -> None:
    with dump.open("rb") as file:
        options = ("--no-owner", "--no-acl", "--exit-on-error")
        run([*inside, "pg_restore", *CVAT, *options], user="root", stdin=file)


def engine(settings: Settings) -> logical.Logical:
    """Dumps a managed database from the server."""
    bucket = Bucket(settings.bucket)
    context = ServerContext(settings.scratch_image)
    return logical.Logical(settings, context, BucketDumps(bucket), BucketDrillResults(bucket))


def rehearse(engine: logical.Logical, image: str, environment: dict[str, str]) -> str:
    """Dump, and let ``image`` migrate a copy, which may lose no row; returns the dump's identifier.

    Nothing of the workspace is written except that dump. Raises ``FailedError``.
    """
    _fetch_image(image)
    backup = engine.take()
    with _network() as network, engine.restored(backup, network=network) as scratch:
        expected = engine.expected(backup)
        drill.compare(expected, record.take(scratch.ask), allows_empty=False)
        _migrate(network, image, environment)
        lost = record.lost(expected, record.take(scratch.ask)) if expected else "the dump has no record"
    if lost:
        raise FailedError(f"it would lose rows: {lost}")
    return backup.label


def _fetch_image(image: str) -> None:
    """Pull it when it is not there."""
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
        docker("pull", "--quiet", image)


@contextmanager
def _network() -> Iterator[str]:
    """A network that leads nowhere else."""
    name = f"labelspace-rehearsal-{os.getpid()}"
    docker("network", "create", "--internal", name)
    try:
        yield name
    finally:
        _remove("network", "rm", name)


def _migrate(network: str, image: str, environment: dict[str, str]) -> None:
    """The new version's own migrations. CVAT asks for a password; the copy takes any."""
    with tempfile.NamedTemporaryFile("w", prefix="rehearse.", dir=WORK) as password:
        password.write("rehearsal")
        password.flush()
        Path(password.name).chmod(0o444)
        bind = f"--volume={password.name}:{environment['CVAT_POSTGRES_PASSWORD_FILE']}:ro"
        variables = [f"--env={name}={value}" for name, value in environment.items()]
        words = [*LIMITS, f"--network={network}", DATA, bind, *variables, "--env=CVAT_POSTGRES_HOST=scratch"]
        try:
            docker("run", "--rm", *words, "--entrypoint=bash", image, "-c", MIGRATE)
        except FailedError as error:
            raise FailedError(f"its migration failed: {error}") from None
