"""Sends one workspace to sleep when nobody uses it, and wakes it when the proxy leaves a note.

Runs alone in a container without any network, which holds the Docker socket. It asks the engine for the
containers that carry this workspace's label, and starts or stops those. From outside it reads only times and
sizes of files in a shared folder, and whether the workspace's lock is held. It uses no HTTP client, because
it stays in memory while the other containers are stopped.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from threading import Thread
from typing import Any

SOCKET = "/var/run/docker.sock"
NOTES = "/notes"
LOCKS = "/locks"
CHECK_SECONDS = 10
"""Time between two checks whether the workspace is idle."""
QUIET_SECONDS = 150
"""A worker that has not reported an empty queue for this long is taken to be working."""
MTIME_LAG_SECONDS = 0.02
"""How much a file's time may lag behind the clock."""
STOP_SECONDS = 30
READINESS_TIMEOUT_SECONDS = 960
GATEWAY_BYTES, SERVER_BYTES = 2**18, 2**22
"""Traffic between two checks that shows an upload or a download; less is health checks and polling."""
STORES = ("database", "redis", "cache")
"""Stopped last and started first, like the mounts of remote buckets."""
MOUNT_PATIENCE_SECONDS = 60
AWAKE_PARTS = ("proxy", "sleeper")
COPIERS = ("pgbackrest", "restic", "labelspace_backup")
COPYING = {"backup", "restore", "drill", "keep-folder"}

Part = dict[str, Any]


class Engine:
    """The Docker engine, as far as one workspace goes."""

    def __init__(self, workspace: str) -> None:
        self._label = f"labelspace.workspace={workspace}"

    def parts(self) -> dict[str, Part]:
        """Every container of the workspace by its part."""
        only = json.dumps({"label": [self._label]}).replace('"', "%22").replace(" ", "")
        found = self._ask("GET", f"/containers/json?all=1&filters={only}") or []
        return {one["Labels"]["labelspace.part"]: one for one in found}

    def sleepers(self) -> dict[str, Part]:
        """The parts that sleep: all that come back by themselves, but for the two that stay awake."""
        parts = {name: one for name, one in self.parts().items() if name not in AWAKE_PARTS}
        return {name: one for name, one in parts.items() if self._comes_back(one)}

    def _comes_back(self, one: Part) -> bool:
        return bool(self.inspect(one)["HostConfig"]["RestartPolicy"]["Name"] not in ("no", ""))

    def inspect(self, one: Part) -> Part:
        """Everything about a container; raises ``KeyError`` for one that is gone."""
        found = self._ask("GET", f"/containers/{one['Id']}/json")
        if not found:
            raise KeyError(one["Id"])
        return dict(found)

    def start(self, one: Part) -> None:
        """Start it; nothing happens when it runs."""
        self._ask("POST", f"/containers/{one['Id']}/start")

    def stop(self, one: Part) -> None:
        """Tell it to end in order, and end it after STOP_SECONDS."""
        self._ask("POST", f"/containers/{one['Id']}/stop?t={STOP_SECONDS}")

    def processes(self, one: Part) -> list[str]:
        """The command lines that run in it."""
        found = self._ask("GET", f"/containers/{one['Id']}/top") or {}
        return [row[-1] for row in found.get("Processes") or []]

    def moved(self, one: Part) -> int:
        """Bytes that went over its network since it started."""
        found = self._ask("GET", f"/containers/{one['Id']}/stats?stream=false&one-shot=true") or {}
        return sum(net["rx_bytes"] + net["tx_bytes"] for net in (found.get("networks") or {}).values())

    def _ask(self, method: str, path: str) -> Any:
        """The engine's JSON; None for an empty answer, or a container that is gone. Raises ``OSError``."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(STOP_SECONDS + 60)
            line.connect(SOCKET)
            line.sendall(f"{method} {path} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status >= 400 and status != 404:
            raise OSError(f"the engine answers {status}: {body[:300].decode(errors='replace').strip()}")
        return json.loads(body) if status < 300 and body.strip() else None


class Notes:
    """The folder shared with proxy and workers: times of files come in, the state goes out."""

    def touched(self, name: str) -> float:
        """When ``name`` was last written to, in seconds; 0 when it is not there."""
        try:
            return os.lstat(f"{NOTES}/{name}").st_mtime
        except OSError:
            return 0.0

    def noted(self, name: str) -> float:
        """The same of a note of the proxy, which begins with an empty file."""
        try:
            found = os.lstat(f"{NOTES}/{name}")
        except OSError:
            return 0.0
        return found.st_mtime if found.st_size else 0.0

    def quiet_since(self) -> float:
        """Each worker notes when its queue was last empty: the earliest of those times (seconds)."""
        times = [self.touched(name) for name in os.listdir(NOTES) if name.startswith("quiet-")]
        return min(times, default=0.0)

    def show_waking_page(self, on: bool) -> None:
        """While the file is there, the proxy answers with the waking page."""
        path = f"{NOTES}/asleep"
        if on:
            with open(path, "w") as file:
                file.write("the workspace sleeps\n")
        elif os.path.exists(path):
            os.remove(path)

    def say(self, status: str, **more: Any) -> None:
        """What the waking page and ``labelspace status`` read."""
        text = json.dumps({"status": status, **more})
        with open(f"{NOTES}/state.json.new", "w") as file:
            file.write(text)
        os.chmod(f"{NOTES}/state.json.new", 0o644)
        os.replace(f"{NOTES}/state.json.new", f"{NOTES}/state.json")


class Sleeper:
    """One workspace: awake, asleep, and the ways between."""

    def __init__(self, workspace: str, minutes: int) -> None:
        self.workspace, self.idle_seconds = workspace, minutes * 60
        self.engine, self.notes = Engine(workspace), Notes()
        self.woken = time.time()
        self.moved: dict[str, int] = {}

    def run(self) -> None:
        """For ever; begins where an earlier process ended."""
        os.chmod(NOTES, 0o1777)  # noqa: S103 - proxy and workers write too, and remove only their own
        if self.notes.touched("asleep"):
            self.asleep(wake_now=self._some_run())
        while True:
            self.awake()
            if self.fall_asleep():
                self.asleep()

    def awake(self) -> None:
        """Wait until the workspace was idle for the configured time."""
        last = ""
        while reason := self.used_by():
            if reason != last:
                log(f"in use by {reason}")
                last = reason
            self.notes.say("awake", since=_iso(self.woken))
            for _ in range(CHECK_SECONDS):
                time.sleep(1)
                if self._asked_to_mend():
                    self.wake()

    def _asked_to_mend(self) -> bool:
        """A note asks for the workspace, and a part is stopped although it is awake."""
        asked = self.notes.noted("wake") > max(self.woken, time.time() - CHECK_SECONDS)
        return asked and not self._command_runs() and self._has_stopped_part()

    def _some_run(self) -> bool:
        return any(one["State"] == "running" for one in self.engine.sleepers().values())

    def _has_stopped_part(self) -> bool:
        """Whether a part is stopped although the workspace is awake."""
        return any(one["State"] in ("exited", "created") for one in self.engine.sleepers().values())

    def used_by(self) -> str:
        """What uses the workspace now; empty when it is idle."""
        last = max(self.woken, self.notes.noted("activity"))
        if time.time() - last < self.idle_seconds:
            return "a user"
        quiet = self.notes.quiet_since()
        if quiet < last or time.time() - quiet > QUIET_SECONDS:
            return "a job, or a worker that has not reported"
        if self._command_runs():
            return "a labelspace command"
        return self._at_work(self.engine.parts())

    def _at_work(self, parts: dict[str, Part]) -> str:
        if any(parts[name]["State"] == "running" for name in ("migrate", "readiness") if name in parts):
            return "an update"
        if "database" in parts and self._copies(parts["database"]):
            return "a backup"
        return "a transfer" if self._moves(parts) else ""

    def _copies(self, database: Part) -> bool:
        for line in self.engine.processes(database):
            if any(program in line for program in COPIERS) and COPYING & set(line.split()):
                return True
        return False

    def _moves(self, parts: dict[str, Part]) -> bool:
        """Whether an upload or a download runs; True at the first check, which cannot compare yet."""
        before = self.moved
        self.moved = {name: self.engine.moved(parts[name]) for name in ("gateway", "server") if name in parts}
        if before.keys() != self.moved.keys():
            return True
        most = {"gateway": GATEWAY_BYTES, "server": SERVER_BYTES}
        return any(self.moved[name] - before[name] > most[name] for name in before)

    def _command_runs(self) -> bool:
        """A command of ``labelspace`` holds the workspace's lock while it works on it."""
        try:
            lock = os.open(f"{LOCKS}/{self.workspace}.lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def fall_asleep(self) -> bool:
        """Show the waking page, then stop the containers, unless a user came meanwhile."""
        self.moved = {}
        began = time.time()
        self.notes.say("asleep", since=_iso(began))
        self.notes.show_waking_page(on=True)
        time.sleep(1)
        if self.notes.noted("activity") > began:
            self.notes.show_waking_page(on=False)
            return False
        parts = self.engine.sleepers()
        first, rest = _by_rank(parts)
        _all_at_once(self.engine.stop, rest)
        _all_at_once(self.engine.stop, first)
        log("asleep")
        return True

    def asleep(self, *, wake_now: bool = False) -> None:
        """Until a note asks for the workspace, and the workspace has become ready."""
        answered = self.notes.touched("asleep") - MTIME_LAG_SECONDS
        while True:
            if wake_now or self.notes.noted("wake") > answered:
                if self.wake():
                    return
                answered, wake_now = time.time(), False
            time.sleep(0.5)

    def wake(self) -> bool:
        """Start every container, the readiness check last. Return whether CVAT became ready."""
        began = time.time()
        log("waking")
        self.notes.show_waking_page(on=True)
        parts = self.engine.sleepers()
        first, rest = _by_rank(parts)
        _all_at_once(self.engine.start, first)
        self._wait_for_mounts(began)
        _all_at_once(self.engine.start, rest)
        ready = self._wait_until_ready(began, len(parts))
        if ready:
            self.woken = time.time()
            self.notes.show_waking_page(on=False)
            self.notes.say("awake", since=_iso(self.woken))
        else:
            self.notes.say("failed", since=_iso(began))
        log("awake" if ready else "not ready")
        return ready

    def _wait_for_mounts(self, began: float) -> None:
        """A server that starts before a mount would see an empty folder in its place."""
        while time.time() - began < MOUNT_PATIENCE_SECONDS:
            mounts = [one for name, one in self.engine.sleepers().items() if name.startswith("mount-")]
            if all("(healthy)" in one["Status"] for one in mounts):
                return
            time.sleep(1)

    def _wait_until_ready(self, began: float, total: int) -> bool:
        """Follow the readiness check until it ends; an update may put another in its place."""
        started = ""
        while time.time() - began < READINESS_TIMEOUT_SECONDS:
            running = [one for one in self.engine.sleepers().values() if one["State"] == "running"]
            healthy = [one for one in running if "(healthy)" in one["Status"]]
            seconds = round(time.time() - began)
            self.notes.say(
                "waking",
                since=_iso(began),
                seconds=seconds,
                started=len(running),
                works=len(healthy),
                parts=total,
            )
            check = self.engine.parts().get("readiness")
            if check and not started:
                self.engine.start(check)
                started = check["Id"]
            elif check and check["State"] == "exited":
                return bool(self.engine.inspect(check)["State"]["ExitCode"] == 0)
            time.sleep(1)
        return False


def _by_rank(parts: dict[str, Part]) -> tuple[list[Part], list[Part]]:
    """The containers that others depend on, and the others."""
    first = {name for name in parts if name in STORES or name.startswith("mount-")}
    return [parts[name] for name in first], [one for name, one in parts.items() if name not in first]


def _all_at_once(act: Any, parts: list[Part]) -> None:
    threads = [Thread(target=_one, args=(act, one)) for one in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one(act: Any, part: Part) -> None:
    try:
        act(part)
    except OSError as problem:
        log(f"{part['Labels']['labelspace.part']}: {problem}")


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def log(line: str) -> None:
    """One line of the container's log."""
    sys.stdout.write(f"{_iso(time.time())} {line}\n")
    sys.stdout.flush()


def main() -> None:
    """Watch over one workspace; an engine that does not answer is asked again."""
    watch = Sleeper(sys.argv[1], int(sys.argv[2]))
    while True:
        try:
            watch.run()
        except (OSError, KeyError, ValueError, IndexError) as problem:
            log(f"{type(problem).__name__}: {problem}")
            time.sleep(5)


if __name__ == "__main__":
    main()
