"""What is lost: rows that were answered with success, after kills; and after the volume itself is gone."""

from __future__ import annotations

import subprocess
import threading
import time
from statistics import median

import docker

from bench.million import ASK, Million, million
from bench.rows import Bound, Row
from bench.workspace import Bench, run, seconds
from labelspace.cvat.names import DATABASE_NAME

KILLS = 20
WRITING_SECONDS = 11
"""Before each kill; the engine waits ever longer before it restarts what ran for less than 10 s."""
BEAT_SECONDS = 90
"""How long it is written before the volume goes: longer than any archive timeout."""
PATIENCE_SECONDS = 120
NOTHING, READY, MINUTE = Bound(0), Bound(120), Bound(60)
TABLE = "bench_beat"


def measure(bench: Bench) -> list[Row]:
    """Rows and seconds. A kill takes every process of the database at once, as a power cut would."""
    data = million(bench)
    data.ask(f"create table if not exists {TABLE} (id bigserial primary key, at timestamptz default now())")
    answered_rows, missing, back = 0, 0, []
    for _ in range(KILLS):
        answered = _written_until_killed(data)
        back.append(_back(data))
        answered_rows, missing = answered_rows + len(answered), missing + _missing(data, answered)
    lost, ready, kept = _volume_loss(data)
    return [
        Row(
            f"rows answered and missing after {KILLS} kills ({answered_rows:,} rows)",
            missing,
            "rows",
            bound=NOTHING,
        ),
        Row("database killed until it answers again", median(back), "s", runs=back),
        Row("volume lost: seconds of writing that are missing", lost, "s", bound=MINUTE),
        Row("volume lost: restore until the workspace is ready", ready, "s", bound=READY),
        Row("volume lost: shapes after the restore", kept, ""),
    ]


def _written_until_killed(data: Million) -> list[int]:
    """Ids whose insert was answered: what psql said before everything in the container was killed."""
    words = ["docker", "exec", "--interactive", data.container, *ASK, "-d", DATABASE_NAME]
    writer = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    said: list[str] = []
    reader = threading.Thread(target=_read, args=(writer, said))
    reader.start()
    _feed(writer, time.monotonic() + WRITING_SECONDS)
    kill = ["docker", "exec", data.container, "sh", "-c", "kill -9 -1"]
    subprocess.run(kill, capture_output=True, check=False)
    reader.join()
    writer.kill()
    writer.wait()
    return [int(line) for line in "".join(said).split("\n")[:-1] if line.isdigit()]


def _read(writer: subprocess.Popen[str], said: list[str]) -> None:
    if writer.stdout:
        said.extend(writer.stdout)


def _feed(writer: subprocess.Popen[str], until: float) -> None:
    """More than can be answered: it is being written when the kill comes."""
    while writer.stdin and time.monotonic() < until:
        writer.stdin.write(f"insert into {TABLE} default values returning id;\n" * 20)
        writer.stdin.flush()


def _back(data: Million) -> float:
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_SECONDS:
        try:
            data.ask("select 1")
        except RuntimeError:
            time.sleep(0.2)
        else:
            return time.monotonic() - began
    raise TimeoutError(f"the database did not answer {PATIENCE_SECONDS} s after a kill")


def _missing(data: Million, answered: list[int]) -> int:
    if not answered:
        raise RuntimeError("nothing was written before the kill: nothing was measured")
    found = data.ask(f"select count(*) from {TABLE} where id between {min(answered)} and {max(answered)}")
    return len(answered) - int(found)


def _volume_loss(data: Million) -> tuple[float, float, int]:
    """Seconds lost, seconds until ready, shapes left."""
    name = data.made.name
    deadline = time.monotonic() + BEAT_SECONDS
    while time.monotonic() < deadline:
        last = float(data.ask(f"insert into {TABLE} default values returning extract(epoch from at)"))
        time.sleep(0.5)
    database = docker.from_env().containers.get(data.container)
    database.remove(force=True, v=True)
    docker.from_env().volumes.get(f"labelspace-{name}-database").remove(force=True)
    ready = seconds("restore", name, "--yes")
    run("status", name)  # fails unless it is ready
    found = float(data.ask(f"select extract(epoch from max(at)) from {TABLE}"))
    return last - found, ready, int(data.ask("select count(*) from engine_labeledshape"))
