"""A workspace at rest: stopped and run again; asleep and woken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from testbed.inside import inside
from tests.e2e.lab import ADMIN, Lab, admin_of, containers, running, until

from labelspace.cvat.config_files import SECRETS_SCRIPT
from labelspace_ops.core import checks
from labelspace_ops.runtime.base import APPLICATION


def test_a_stopped_workspace_keeps_url_data_and_sessions(lab: Lab, street: Any) -> None:
    name = street["name"]
    admin = admin_of(street)
    assert admin.post("/api/projects", {"name": "outlives a stop"}).status_code == 201

    stores = ("redis", "cache", "database")
    with _ends(name, {*APPLICATION, *stores}) as ended:
        assert lab.json("stop", name)["backed_up"]
    assert max(ended[part] for part in APPLICATION) < min(ended[part] for part in stores)
    assert {part for part in containers(name) if not part.startswith("bucket-")} == set()
    with _unmounted(lab.home.buckets / "street"):
        refused = lab.run("start", name)
        assert (refused.returncode, "another folder than before, and empty" in refused.stderr) == (1, True)
    assert lab.json("set", name, "description=changed while it was stopped", "--yes")["status"] == "stopped"
    volumes = _volumes()
    done = lab.run("status", name)
    until(lambda: not _volumes(dangling=True) - volumes, "a look at the backups leaves nothing")
    assert done.returncode == 1
    assert "(stopped)" in done.stdout
    assert f"labelspace start {name}" in done.stderr
    assert lab.json("restore", name, "--yes")["kept"]  # it may be restored as it is, and stays stopped
    assert {row["name"]: row["status"] for row in lab.json("list")}[name] == "stopped"
    assert "unchanged" in lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    assert "unchanged" in lab.pulumi("refresh", "--stack", name, "--yes", "--expect-no-changes")

    lab.pulumi("config", "set", "--stack", name, "labelspace:running", "true")
    lab.pulumi("up", "--stack", name, "--yes", "--skip-preview")
    measured = lab.until_ready(name)
    assert measured["url"] == street["url"]
    assert measured["backup"]["copies"] > street["backup"]["copies"]
    assert "outlives a stop" in [row["name"] for row in admin.get("/api/projects").json()["results"]]
    assert httpx.get(f"{street['api_url']}/api/users/self").status_code == 401


@contextmanager
def _unmounted(folder: Path) -> Iterator[None]:
    """An empty folder is in its place, as after a disk was unmounted."""
    away = folder.rename(folder.with_name(f"{folder.name}.away"))
    folder.mkdir()
    try:
        yield
    finally:
        folder.rmdir()
        away.rename(folder)


@contextmanager
def _ends(name: str, parts: set[str]) -> Iterator[dict[str, int]]:
    """When each of these parts of the workspace ended meanwhile (ns, the engine's clock).

    The stream is followed while it happens: the engine remembers no more than 256 events
    (moby, daemon/events/events.go, ``eventsLimit``).
    """
    ended: dict[str, int] = {}
    stream = docker.from_env(timeout=600).events(decode=True, filters={"event": "die"})
    reader = threading.Thread(target=_note_ends, args=(stream, f"labelspace-{name}-", ended), daemon=True)
    reader.start()
    yield ended
    until(lambda: parts <= ended.keys(), "the engine has reported every end")
    stream.close()


def _note_ends(stream: Iterable[Any], prefix: str, ended: dict[str, int]) -> None:
    for event in stream:
        full = event["Actor"]["Attributes"]["name"]
        if full.startswith(prefix):
            ended[full.removeprefix(prefix)] = event["timeNano"]


PATIENCE_SECONDS = 420


def _until(lab: Lab, name: str, arrived: Callable[[Any], bool]) -> Any:
    """Ask for the status until it has ``arrived``; the requests of ``labelspace status`` are no user's."""
    seen = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        measured = json.loads(lab.run("status", name, "--json").stdout)
        if arrived(measured):
            return measured
        seen.append((measured["status"], [check for check in measured["checks"] if not check["ok"]]))
        time.sleep(2)
    raise AssertionError(f"{name} did not arrive: {seen}\n{_log(name)}")


def _volumes(**which: Any) -> set[str]:
    return {str(volume.id) for volume in docker.from_env().volumes.list(filters=which)}


def _log(name: str) -> str:
    return str(containers(name)["sleeper"].logs().decode())


def _set_sleep(lab: Lab, name: str, minutes: int) -> None:
    done = lab.run("set", name, f"sleep_after_minutes={minutes}", "--yes")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def sleepy(lab: Lab, street: Any) -> Iterator[Any]:
    """A workspace that sleeps after a minute, and its admin, who logged in before that."""
    admin = admin_of(street)
    _set_sleep(lab, street["name"], 1)
    yield street, admin
    _set_sleep(lab, street["name"], 0)
    lab.until_ready(street["name"])


@pytest.mark.timeout(1500)
def test_it_sleeps_by_itself_and_wakes_once_for_twenty_requests(lab: Lab, sleepy: Any) -> None:
    street, admin = sleepy
    name, url = street["name"], street["api_url"]

    def sleeps(now: Any) -> bool:
        return now["status"] == "asleep" and running(name).keys() == {"proxy", "sleeper"}

    def ready_for_an_open_page(now: Any) -> bool:
        admin.get("/api/users/self")  # again and again, as a page does
        return bool(now["status"] == "ready")

    assert _until(lab, name, sleeps)["since"]
    mine = containers(name)
    holds = [part for part, one in mine.items() if "docker.sock" in json.dumps(one.attrs["Mounts"])]
    assert holds == ["sleeper"]
    assert mine["sleeper"].attrs["HostConfig"]["NetworkMode"] == "none"
    assert mine["sleeper"].attrs["HostConfig"]["CapDrop"] == ["ALL"]
    assert "unchanged" in lab.pulumi("preview", "--stack", name, "--expect-no-changes")
    assert "unchanged" in lab.pulumi("refresh", "--stack", name, "--yes", "--expect-no-changes")

    before = _times_woken(name)
    assert httpx.get(f"{url}/robots.txt").status_code == 200
    assert not checks.cvat_health(url).ok  # a look wakes nobody
    with ThreadPoolExecutor(20) as together:
        answers = list(together.map(lambda _: httpx.get(url, timeout=60), range(20)))
    assert {answer.status_code for answer in answers} == {503}
    assert all("Waking up" in answer.text for answer in answers)
    _until(lab, name, ready_for_an_open_page)
    assert _times_woken(name) == before + 1
    assert admin.get("/api/users/self").json()["username"] == ADMIN


WHERE = """
import os, sys, redis, rq
where = {key: os.environ["CVAT_REDIS_INMEM_" + key.upper()] for key in ("host", "port", "password")}
queues = redis.Redis(**where)
"""
OCCUPY = f"{WHERE}print(rq.Queue('import', connection=queues).enqueue('time.sleep', 170).id)"
ASK = f"{WHERE}print(rq.job.Job.fetch(sys.argv[1], connection=queues).is_finished)"


@pytest.mark.timeout(1500)
def test_it_stays_awake_under_an_active_user_and_under_a_running_job(lab: Lab, sleepy: Any) -> None:
    """Each longer than the minute after which it would sleep."""
    street, admin = sleepy
    name = street["name"]
    job = _said(name, OCCUPY)
    working = time.monotonic() + 80
    while time.monotonic() < working:
        assert admin.get("/api/users/self").status_code == 200
        time.sleep(5)
    while _said(name, ASK, job) != "True":
        assert json.loads(lab.run("status", name, "--json").stdout)["status"] == "ready"
        time.sleep(5)
    reasons = _log(name).split("in use by ")
    assert reasons[-1].startswith("a job")
    assert "asleep" not in reasons[-1] + reasons[-2]
    _until(lab, name, lambda now: now["status"] == "asleep")


def _said(name: str, program: str, *arguments: str) -> str:
    """What a program in the workspace's server prints."""
    words = f'. {SECRETS_SCRIPT}; exec python3 -c "$0" "$@" 2>/dev/null'
    server = containers(name)["server"]
    code, said = inside(server, ["bash", "-c", words, program, *arguments])
    assert code == 0, said
    return said.decode().strip()


def _times_woken(name: str) -> int:
    return sum(line.endswith(" waking") for line in _log(name).splitlines())
