"""The cost of continuous backup in write speed and space, compared with a dump every hour."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median

from bench.million import NUMBERS, Million, admin, inside, million, task
from bench.rows import Bound, Row
from bench.workspace import LABELSPACE, ROOT, Bench, Made, run
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.postgres.pgbackrest import REPOSITORY, image_name
from labelspace.spec import BackupSpec

SECONDS, CLIENTS, BATCH = 15, 2, 50
HOURS, PER_HOUR = 24, 10_000
SLOWER = Bound(10)
ARCHIVER = "/usr/bin/pgbackrest"
DUMP, SCRIPT = "/tmp/bench.dump", "/tmp/bench.sql"  # noqa: S108 - inside the container


def measure(bench: Bench) -> list[Row]:
    """Percent, MB. Writes are batches of shapes, each committed, by two clients without a pause."""
    data = million(bench)
    with _without_archive(data) as plain:
        rates: dict[str, list[float]] = {"plain": [], "archiving": [], "backing up": []}
        for _ in range(bench.pairs):
            rates["plain"].append(_rate(plain, data))
            rates["archiving"].append(_rate(data.container, data))
            with _backing_up(data):
                rates["backing up"].append(_rate(data.container, data))
    middle = {name: median(ones) for name, ones in rates.items()}
    slower = [
        Row(
            f"writes slower while {name}",
            100 - 100 * middle[name] / middle["plain"],
            "%",
            bound=SLOWER,
            runs=rates[name],
        )
        for name in ("archiving", "backing up")
    ]
    per_second = Row(
        "commits a second without archive or backups", middle["plain"], "/s", runs=rates["plain"]
    )
    return [*slower, per_second, *_annotating(bench, data), *_day(data)]


@contextmanager
def _without_archive(data: Million) -> Iterator[str]:
    """The same image, options and data, but no archive; nothing else happens in it."""
    name = f"bench-plain-{secrets.token_hex(3)}"
    words = ["docker", "run", "--detach", "--rm", "--name", name, "--memory=1024m", "--memory-swap=1024m"]
    words += ["--env=POSTGRES_HOST_AUTH_METHOD=trust", f"--env=POSTGRES_USER={DATABASE_USER}"]
    words += [f"--env=POSTGRES_DB={DATABASE_NAME}", "--env=POSTGRES_INITDB_ARGS=--data-checksums"]
    words += ["--entrypoint=docker-entrypoint.sh", image_name(), "postgres", "-c", "wal_level=replica"]
    subprocess.run(words, check=True, capture_output=True)
    try:
        _until_it_answers(name)
        dump = subprocess.Popen(
            ["docker", "exec", data.container, "pg_dump", "-U", DATABASE_USER, DATABASE_NAME],
            stdout=subprocess.PIPE,
        )
        load = ["docker", "exec", "--interactive", name, "psql", "-q", "-U", DATABASE_USER, DATABASE_NAME]
        subprocess.run(load, stdin=dump.stdout, check=True, capture_output=True)
        if dump.wait():
            raise RuntimeError("pg_dump failed: the peer has no data")
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False)


def _annotating(bench: Bench, data: Million) -> list[Row]:
    """The same as people meet it: through CVAT's API, whose answer is what they wait for."""
    job, label = task(data.made)
    rates: dict[str, list[float]] = {"plain": [], "archiving": []}
    for _ in range(bench.pairs):
        with _archived_by_nobody(data.container):
            rates["plain"].append(_answers(data.made, job, label))
        rates["archiving"].append(_answers(data.made, job, label))
    middle = {name: median(ones) for name, ones in rates.items()}
    return [
        Row(
            "annotating through CVAT's API slower while archiving",
            100 - 100 * middle["archiving"] / middle["plain"],
            "%",
            bound=SLOWER,
            runs=rates["archiving"],
        ),
        Row("requests a second without an archive", middle["plain"], "/s", runs=rates["plain"]),
    ]


@contextmanager
def _archived_by_nobody(container: str) -> Iterator[None]:
    """Segments are called archived by what does nothing; everything else stays as it is."""
    inside(container, "mv", ARCHIVER, f"{ARCHIVER}-away")
    inside(container, "ln", "-s", "/bin/true", ARCHIVER)
    try:
        yield
    finally:
        inside(container, "mv", f"{ARCHIVER}-away", ARCHIVER)


def _answers(made: Made, job: int, label: int) -> float:
    """Requests a second that create shapes, by clients without a pause."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(lambda _: _written(made, job, label), range(CLIENTS))) / SECONDS


def _written(made: Made, job: int, label: int) -> int:
    corners = [float(number) for number in range(NUMBERS)]
    shape = {"type": "polygon", "frame": 0, "label_id": label, "points": corners}
    body = {"version": 0, "tags": [], "shapes": [shape] * BATCH, "tracks": []}
    answered = 0
    with admin(made) as http:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            done = http.patch(f"/api/jobs/{job}/annotations", params={"action": "create"}, json=body)
            done.raise_for_status()
            answered += 1
    return answered


def _until_it_answers(container: str) -> None:
    """By TCP, where the entrypoint's passing server does not listen."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            inside(container, "pg_isready", "-q", "-h", "127.0.0.1", "-U", DATABASE_USER, "-d", DATABASE_NAME)
        except RuntimeError:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(f"{container} does not answer")


def _rate(container: str, data: Million) -> float:
    """Commits a second, by PostgreSQL's own pgbench."""
    inside(container, "sh", "-c", f"cat >{SCRIPT}", stdin=data.insert(str(BATCH)) + ";\n")
    words = ("pgbench", "-n", "-U", DATABASE_USER, "-c", str(CLIENTS), "-T", str(SECONDS), "-f", SCRIPT)
    said = inside(container, *words, DATABASE_NAME)
    line = next(one for one in said.splitlines() if one.startswith("tps = "))
    return float(line.split()[2])


@contextmanager
def _backing_up(data: Million) -> Iterator[None]:
    """A full backup, which must outlast the writes: else less was measured than is said."""
    words = [LABELSPACE, "backup", data.made.name, "--full", "--json"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT) as running:
        _until_it_runs(data)
        yield
        running.wait()
    if running.returncode:
        raise RuntimeError(f"labelspace backup ended with {running.returncode}")


def _until_it_runs(data: Million) -> None:
    deadline = time.monotonic() + 120
    while "pgbackrest" not in inside(
        data.container, "sh", "-c", "cat /proc/[0-9]*/cmdline | grep -a type=full || true"
    ):
        if time.monotonic() > deadline:
            raise TimeoutError("the backup did not start")
        time.sleep(0.2)


def _day(data: Million) -> list[Row]:
    """Twenty-four hours in a few minutes: shapes each hour, a dump each hour, backups on the schedule."""
    run("backup", data.made.name)
    before, dumps = _stored(data), 0.0
    for hour in range(1, HOURS + 1):
        data.ask(data.insert(str(PER_HOUR)))
        dumps += _dump(data)
        if hour % BackupSpec().interval_hours == 0:
            run("backup", data.made.name)
    day = _stored(data) - before
    what = f"a day of backups ({HOURS * PER_HOUR:,} new shapes)"
    segments = HOURS * 3600 // BackupSpec().archive_timeout_seconds
    return [
        Row(what, day, "MB", "a dump an hour", dumps),
        Row("one segment of the log with next to nothing in it", _segment(data), "MB"),
        Row("segments a day, at most, that time alone closes", segments, ""),
    ]


def _segment(data: Million) -> float:
    before = _stored(data)
    data.ask(data.insert("1"))
    data.ask("select pg_switch_wal()")
    time.sleep(8)
    return _stored(data) - before


def _stored(data: Million) -> float:
    """MB of the workspace's repository."""
    return int(inside(data.container, "du", "-sb", REPOSITORY).split()[0]) / 1e6


def _dump(data: Million) -> float:
    inside(data.container, "pg_dump", "-U", DATABASE_USER, "-Fc", "-f", DUMP, DATABASE_NAME)
    return int(inside(data.container, "stat", "-c", "%s", DUMP)) / 1e6
