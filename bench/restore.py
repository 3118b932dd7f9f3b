"""``restore --to``, compared with pg_restore of a dump of the same data."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bench.million import SHAPES, Million, million, timed
from bench.plain import until_healthy
from bench.rows import Bound, Row
from bench.workspace import Bench, run, seconds
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace_ops.runtime.base import APPLICATION, stop_application
from labelspace_ops.runtime.docker_engine import DockerRuntime

DUMP, KEPT = "/tmp/bench.dump", "/tmp/bench-kept.dump"  # noqa: S108 - inside the container
PEER_DATABASE = "bench_peer"
STORES = ("redis", "cache")
BOUND = Bound(1.0, of="ratio")


def measure(bench: Bench) -> list[Row]:
    """Seconds.

    One peer restores into an empty database next to CVAT's, and neither keeps what it replaces nor stops and
    starts anything. The other does by hand what the command does.
    """
    data = million(bench)
    dumped = timed(data.container, "pg_dump", "-U", DATABASE_USER, "-Fc", "-f", DUMP, DATABASE_NAME)
    peers = [_plain_restore(data) for _ in range(bench.pairs)]
    run("backup", data.made.name)
    moment = _quiet_moment(data)
    with _life(f"labelspace-{data.made.name}-restore") as database:
        whole = seconds("restore", data.made.name, "--to", moment, "--yes")
    left = int(data.ask("select count(*) from engine_labeledshape"))
    if left != SHAPES:
        raise RuntimeError(f"restore --to {moment}: {left} shapes instead of {SHAPES}")
    by_hand = _by_hand(data)
    peer, middle = "pg_restore of a dump", sorted(peers)[len(peers) // 2]
    what = "restore --to, until the workspace is ready"
    return [
        Row(what, whole, "s", peer, middle, BOUND),
        Row(f"{what} (again)", whole, "s", "by hand: stop, pg_dump, pg_restore, start, ready", by_hand),
        Row("restore --to, the container that restores, alone", database[-1], "s", peer, middle),
        Row("pg_restore, each run", middle, "s", runs=peers),
        Row("pg_dump", dumped, "s"),
    ]


def _plain_restore(data: Million) -> float:
    data.ask(f"drop database if exists {PEER_DATABASE}", "postgres")
    data.ask(f"create database {PEER_DATABASE}", "postgres")
    taken = timed(data.container, "pg_restore", "-U", DATABASE_USER, "-d", PEER_DATABASE, DUMP)
    data.ask(f"drop database {PEER_DATABASE}", "postgres")
    return taken


def _by_hand(data: Million) -> float:
    """Who serves is stopped, what is there dumped, the older dump restored, all started until healthy."""
    began = time.monotonic()
    runtime = DockerRuntime.here(data.made.name)
    stop_application(runtime)
    runtime.stop(STORES)
    timed(data.container, "pg_dump", "-U", DATABASE_USER, "-Fc", "-f", KEPT, DATABASE_NAME)
    data.ask(f"drop database {DATABASE_NAME}", "postgres")
    data.ask(f"create database {DATABASE_NAME}", "postgres")
    timed(data.container, "pg_restore", "-U", DATABASE_USER, "-d", DATABASE_NAME, DUMP)
    runtime.start([*STORES, *APPLICATION])
    until_healthy(f"{data.made.status['api_url']}/api/server/health/?format=json")
    return time.monotonic() - began


def _quiet_moment(data: Million) -> str:
    """A moment with all shapes there, and a mistake after it that the restore undoes."""
    time.sleep(2)
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(2)
    data.ask("delete from engine_labeledshape where id in (select id from engine_labeledshape limit 1000)")
    return moment


@contextmanager
def _life(container: str) -> Iterator[list[float]]:
    """Seconds from each start of a container to its end, as the engine saw it; there when the block ends."""
    words = ["docker", "events", "--format={{json .}}", f"--filter=container={container}"]
    lives: list[float] = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as listener:
        try:
            yield lives
        finally:
            time.sleep(1)
            listener.terminate()
        events = [json.loads(line) for line in listener.stdout or ()]
    times = {what: [e["timeNano"] for e in events if e["Action"] == what] for what in ("start", "die")}
    lives.extend((end - begin) / 1e9 for begin, end in zip(times["start"], times["die"], strict=True))
