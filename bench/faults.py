"""Random kills while a client writes through the API: nothing that was answered may be missing afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx
import psutil

from bench.rows import Bound, Row
from bench.workspace import ADMIN, LABELSPACE, PASSWORD, ROOT, Bench, Made, workspace

PULUMI_EVERY = 5
"""Each fifth kill ends a command of ``labelspace`` in the middle of an update; the others, a process."""
UPDATE_SECONDS = (2.0, 12.0)
"""How far such an update gets."""
ALONE_SECONDS = 180
"""How long a workspace may take to become ready by itself before one command is run."""
PAUSE_SECONDS = 0.05
"""Between two writes."""
ONE_SHOT = ("migrate", "readiness")
NOTHING, ONE = Bound(0), Bound(1)


@dataclass
class Writer:
    """Makes projects one after another; ``answered`` are the names that CVAT answered with 201."""

    url: str
    answered: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Write until ``over``; whatever fails is tried again under another name."""
        http, number = None, 0
        while not self.over.is_set():
            number += 1
            try:
                http = http or logged_in(self.url)
                if _made(http, f"write-{number}"):
                    self.answered.append(f"write-{number}")
                else:
                    http = None
            except httpx.HTTPError:
                http = None
                time.sleep(PAUSE_SECONDS)
            time.sleep(PAUSE_SECONDS)


def logged_in(url: str) -> httpx.Client:
    """The admin's client; raises ``httpx.HTTPError`` while the server is away."""
    http = httpx.Client(base_url=url, timeout=20)
    http.post("/api/auth/login", json={"username": ADMIN, "password": PASSWORD}).raise_for_status()
    http.headers["X-CSRFToken"] = http.cookies.get("csrftoken") or ""
    return http


def _made(http: httpx.Client, name: str) -> bool:
    return http.post("/api/projects", json={"name": name}).status_code == 201


def measure(bench: Bench) -> list[Row]:
    """Kill ``bench.kills`` times in ``bench.workspaces`` workspaces at once, then count what is missing."""
    with ExitStack() as ends:
        made = [ends.enter_context(workspace(bench.cvat_version)) for _ in range(bench.workspaces)]
        writers = [Writer(one.status["api_url"]) for one in made]
        with _writing(writers):
            back, commands, killed = _kills(made, bench.kills)
        not_ready = sum(not _is_ready_within(one.name, ALONE_SECONDS) for one in made)
        lost = sum(len(_lost(writer)) for writer in writers)
        admins = {_admins(writer) for writer in writers}
    if not all(writer.answered for writer in writers):
        raise RuntimeError("a workspace answered no write: nothing was measured")
    answered = sum(len(writer.answered) for writer in writers)
    what = ", ".join(f"{part} {count}" for part, count in sorted(killed.items()))
    return [
        Row(f"kills in {len(made)} workspaces ({what})", sum(killed.values()), ""),
        Row(f"projects answered and missing ({answered:,} answered)", lost, "", bound=NOTHING),
        Row("admins of each workspace, at most", max(admins), "", bound=ONE),
        Row("admins of each workspace, at least", min(admins), "", bound=Bound(1, side=">=")),
        Row("workspaces that are not ready at the end", not_ready, "", bound=NOTHING),
        Row("kills of a process after which a command was needed", commands, "", bound=NOTHING),
        Row("a process killed, until ready by itself", median(back), "s", runs=back),
        Row("the longest of these", max(back), "s", bound=Bound(ALONE_SECONDS)),
    ]


@contextmanager
def _writing(writers: list[Writer]) -> Iterator[None]:
    """All writers write until the end of the block."""
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for writer in writers:
            writer.over.set()
        for thread in threads:
            thread.join()


def _lost(writer: Writer) -> set[str]:
    """The projects that CVAT answered with 201 and does not have."""
    return set(writer.answered) - _names(logged_in(writer.url), "/api/projects", "name")


def _admins(writer: Writer) -> int:
    return sum(bool(user["is_superuser"]) for user in _rows(logged_in(writer.url), "/api/users"))


def _kills(workspaces: list[Made], count: int) -> tuple[list[float], int, Counter[str]]:
    """Seconds until ready after each kill of a process, how many needed a command, and what was killed."""
    back: list[float] = []
    commands, killed = 0, Counter[str]()
    for number in range(1, count + 1):
        made = random.choice(workspaces)  # noqa: S311 - no secret
        if number % PULUMI_EVERY == 0:
            _kill_update(made.name, number)
            killed["labelspace set"] += 1
            continue
        killed[_kill_process(made)] += 1
        began = time.monotonic()
        if not _is_ready_within(made.name, ALONE_SECONDS):
            commands += 1
            _command("start", made.name)
        back.append(time.monotonic() - began)
    return back, commands, killed


def _kill_process(made: Made) -> str:
    """Kill a random process of a random container; returns the container's part."""
    while True:
        parts = {
            part: one
            for part, one in made.containers.items()
            if one.status == "running" and part not in ONE_SHOT
        }
        part = random.choice(sorted(parts))  # noqa: S311 - no secret
        rows = parts[part].top(ps_args="-o pid")["Processes"] or []
        try:
            os.kill(int(random.choice(rows)[0]), signal.SIGKILL)  # noqa: S311 - no secret
        except (ProcessLookupError, IndexError):
            continue
        return str(part)


def _kill_update(name: str, number: int) -> None:
    """Kill a command with all that it started in the middle of an update; one command continues it."""
    registration = "closed" if number % 2 else "open"
    words = [LABELSPACE, "set", name, f"registration={registration}", "--yes"]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as started:
        time.sleep(random.uniform(*UPDATE_SECONDS))  # noqa: S311 - no secret
        for one in [*psutil.Process(started.pid).children(recursive=True), psutil.Process(started.pid)]:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
    time.sleep(1)
    _command("create", name, "--yes")
    if not _is_ready_within(name, ALONE_SECONDS):
        raise RuntimeError(f"{name} is not ready after `labelspace create`, which continues an update")


def _is_ready_within(name: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done = subprocess.run([LABELSPACE, "status", name], cwd=ROOT, capture_output=True, check=False)
        if done.returncode == 0:
            return True
        time.sleep(1)
    return False


def _command(*words: str) -> None:
    done = subprocess.run([LABELSPACE, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"labelspace {words[0]} ended with {done.returncode}: {done.stderr[-500:]}")


def _names(http: httpx.Client, path: str, field_name: str) -> set[str]:
    return {row[field_name] for row in _rows(http, path)}


def _rows(http: httpx.Client, path: str) -> list[Any]:
    """All rows of a listing of CVAT's API."""
    rows: list[Any] = []
    page: dict[str, Any] = {"next": True}
    while page["next"]:
        params = {"page_size": 100, "page": len(rows) // 100 + 1}
        page = http.get(path, params=params).raise_for_status().json()
        rows += page["results"]
    return rows
