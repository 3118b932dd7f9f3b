"""Annotations come back: after a crash, a mistake, and the loss of the database's volume."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import docker
import httpx
from testbed.inside import inside
from tests.e2e.lab import PASSWORD, Lab, admin_of, containers, task_of, until

from labelspace_ops.core import locks


def _projects(measured: Any) -> set[str]:
    return {row["name"] for row in admin_of(measured).get("/api/projects").json()["results"]}


def _asked(measured: Any, sql: str) -> str:
    code, said = inside(containers(measured["name"])["database"], ["psql", "-U", "cvat", "-Atc", sql, "cvat"])
    assert code == 0, said
    return said.decode().strip()


class Writer(threading.Thread):
    """Draws one box after the other through the API, and notes those that were answered with success."""

    def __init__(self, measured: Any) -> None:
        super().__init__(daemon=True)
        self.admin, self.over, self.kept = admin_of(measured), threading.Event(), set[int]()
        self.seen = 0
        self.task = task_of(self.admin, f"written {secrets.token_hex(3)}")
        self.label = self.admin.get(f"/api/labels?task_id={self.task}").json()["results"][0]["id"]

    def run(self) -> None:
        while not self.over.is_set():
            box = {"type": "rectangle", "frame": 0, "label_id": self.label, "points": [1, 2, 30, 40]}
            body = {"version": 0, "tags": [], "shapes": [box], "tracks": []}
            try:
                said = self.admin.patch(f"/api/tasks/{self.task}/annotations?action=create", body)
            except httpx.HTTPError:
                continue
            if said.status_code == 200:
                self.kept |= {shape["id"] for shape in said.json()["shapes"]}

    def went_on(self) -> bool:
        """Whether five more were answered since this was last true."""
        if len(self.kept) < self.seen + 5:
            return False
        self.seen = len(self.kept)
        return True

    def found(self) -> set[int]:
        return {
            shape["id"] for shape in self.admin.get(f"/api/tasks/{self.task}/annotations").json()["shapes"]
        }


def test_nothing_that_was_answered_is_missing_after_the_database_was_killed(lab: Lab, street: Any) -> None:
    writer = Writer(street)
    writer.start()
    for _ in range(3):
        until(writer.went_on, "annotations are written")
        os.kill(containers(street["name"])["database"].attrs["State"]["Pid"], signal.SIGKILL)
    writer.over.set()
    writer.join()
    lab.until_ready(street["name"])
    assert len(writer.kept) >= 15
    assert writer.kept <= writer.found()


def test_a_database_or_a_redis_that_does_not_know_of_it_is_prepared_again(street: Any) -> None:
    redis = containers(street["name"])["redis"]
    password = "$(sed -n 's/^requirepass //p' /run/labelspace/redis.conf)"
    forget = f"redis-cli --no-auth-warning -a {password} del labelspace:migrate"
    assert _prepared(street) == "migrate: was done before"
    for loss in (
        lambda: _asked(street, "comment on table django_migrations is null"),
        lambda: redis.exec_run(["sh", "-c", forget]),
    ):
        loss()
        assert _prepared(street) != "migrate: was done before"
        assert _prepared(street) == "migrate: was done before"


def _prepared(measured: Any) -> str:
    """The last line that ``migrate`` says when it is run again."""
    one = containers(measured["name"])["migrate"]
    one.start()
    assert one.wait()["StatusCode"] == 0
    return str(one.logs(tail=1).decode().strip())


def test_a_backup_is_proven_by_a_drill_that_touches_and_leaves_nothing(lab: Lab, street: Any) -> None:
    assert admin_of(street).post("/api/projects", {"name": "drilled"}).status_code == 201
    taken = lab.json("backup", street["name"])
    before = _asked(street, "select pg_postmaster_start_time(), count(*) from engine_project")
    done = lab.run("drill", street["name"], "--json")
    assert PASSWORD not in done.stdout + done.stderr
    proof = json.loads(done.stdout)
    assert proof["ok"]
    assert proof["missing"] == []
    assert proof["backup"] == taken["id"]
    assert proof["rows"] > 0
    assert _asked(street, "select pg_postmaster_start_time(), count(*) from engine_project") == before
    database = containers(street["name"])["database"]
    assert inside(database, ["ls", "/var/lib/postgresql"])[1] == b"data\n"
    listed = lab.json("backups", street["name"])["backups"]
    assert listed[-1]["id"] == taken["id"]
    assert listed[-1]["proof"]["ok"]


IN_THE_WAY = """
begin;
update engine_task set name = name;
do $$ begin
    for round in 1..1200 loop
        if exists (select from pg_locks where relation = 'engine_task'::regclass and mode = 'ShareLock'
                   and not granted) then
            return;
        end if;
        perform pg_sleep(0.05);
    end loop;
    raise 'no backup waited for the table';
end $$;
update engine_project set name = name;
commit;
select 'written';
"""


def test_who_writes_several_tables_during_a_backup_is_not_stopped(lab: Lab, street: Any) -> None:
    """The backup waits for the first table; meanwhile the second is written to."""
    with ThreadPoolExecutor(1) as executor:
        writes = executor.submit(_asked, street, IN_THE_WAY)
        taken = lab.json("backup", street["name"])
        assert writes.result().endswith("written")
    assert lab.json("backups", street["name"])["backups"][-1]["id"] == taken["id"]


def test_a_project_deleted_by_mistake_comes_back_by_the_time(lab: Lab, street: Any) -> None:
    name, admin = street["name"], admin_of(street)
    number = admin.post("/api/projects", {"name": "mistaken"}).json()["id"]
    _asked(street, "update auth_user set password = '!' || password where is_superuser")
    time.sleep(1)
    moment = datetime.now(UTC).isoformat()
    time.sleep(1)
    _asked(street, "update auth_user set password = substr(password, 2) where is_superuser")
    assert admin.http.delete(f"/api/projects/{number}", headers=admin._csrf()).status_code == 204
    assert "mistaken" not in _projects(street)
    with ThreadPoolExecutor(1) as executor:
        first = executor.submit(lab.run, "restore", name, "--to", moment, "--yes")
        until(lambda: locks.busy(lab.home, name) == "restoring", "it is restored")
        second = lab.run("restore", name, "--to", moment, "--yes")
        assert (second.returncode, "another labelspace command is restoring it" in second.stderr) == (1, True)
        done = first.result()
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert lab.until_ready(name)["status"] == "ready"
    assert "mistaken" in _projects(street), "the admin is as configured, not as it was then"
    assert not [part for part in containers(name) if part in ("restore", "look")]


def test_a_lost_volume_is_restored_to_the_last_change_in_two_attempts(lab: Lab, street: Any) -> None:
    name = street["name"]
    lab.json("backup", name)
    assert admin_of(street).post("/api/projects", {"name": "last change"}).status_code == 201
    written = _asked(street, "select pg_walfile_name(pg_current_wal_lsn())")
    archived = "select last_archived_wal from pg_stat_archiver"
    until(lambda: _asked(street, archived)[:24] >= written, "the change is archived by itself")
    containers(name)["database"].remove(force=True, v=True)
    docker.from_env().volumes.get(f"labelspace-{name}-database").remove(force=True)
    assert lab.run("status", name).returncode == 1

    with ThreadPoolExecutor(1) as executor:
        cut = executor.submit(lab.run, "restore", name, "--yes")
        mark = lab.home.backups / name / "restoring"
        while not (mark.exists() or cut.done()):
            time.sleep(0.01)  # the restored takes the place in a second
        containers(name)["restore"].kill()
        assert cut.result().returncode == 1
    assert mark.exists()
    assert lab.run("status", name).returncode == 1
    refused = lab.run("create", name, "--yes")
    assert refused.returncode == 1, refused.stdout  # no half state is called ready
    assert lab.json("restore", name, "--yes")["name"] == name
    assert lab.until_ready(name)["status"] == "ready"
    assert {"mistaken", "last change"} <= _projects(street)


def test_what_cannot_be_restored_is_refused(lab: Lab, street: Any) -> None:
    for flags in (("--backup", "unknown"), ("--to", "1999-01-01T00:00:00Z"), ("--to", "yesterday")):
        done = lab.run("restore", street["name"], *flags, "--yes")
        assert done.returncode == 2, (flags, done.stderr)
        assert flags[1].rstrip("Z") in done.stderr
        assert "Traceback" not in done.stderr
    assert lab.until_ready(street["name"])["status"] == "ready"
