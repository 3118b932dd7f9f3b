"""A server with its own database, booted for real: archived, restored to a minute, proven, reused.

The tests of this file go one after another through the life of one workspace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from docker import errors
from testbed.inside import inside
from tests.e2e import cloud
from tests.e2e.lab import PASSWORD
from tests.e2e.machine import BUCKET, Machine, machine, until

from labelspace.cvat.images import cvat_image
from labelspace.postgres import pgbackrest as postgres
from labelspace.spec import DEFAULT_CVAT
from labelspace.targets.scaleway import cloud_init

KEY = "a-key-that-encrypts-what-is-in-the-bucket"
NEWER_CVAT = "2.73.1"
SETTINGS: dict[str, Any] = {
    "registration": "open",
    "scaleway": {"database": "server"},
    "backup": {"encryption_key": KEY},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("machine"), **SETTINGS) as one:
        _until_ready(one)
        yield one


def _until_ready(one: Machine) -> None:
    until(lambda: one.step() == "ready" and one.healthy(), "every part of CVAT works behind the URL")


def _named(one: Machine, part: str) -> str:
    return f"labelspace-{one.account.name}-{part}"


def _asked(one: Machine, verb: str) -> Any:
    said = one.inside(
        "docker", "exec", _named(one, "database"), "python3", "-m", "labelspace_backup", verb, "{}"
    )
    return json.loads(said.strip().splitlines()[-1])


def _answers(one: Machine) -> bool:
    return one.succeeds("docker", "exec", _named(one, "database"), "pg_isready", "--username=cvat")


def _sql(one: Machine, text: str) -> str:
    psql = ["psql", "--username=cvat", "--dbname=cvat", "--tuples-only", "--no-align", "--command", text]
    return one.inside("docker", "exec", _named(one, "database"), *psql).strip()


def _kept(one: Machine, folder: str) -> list[str]:
    """Objects below a folder of the workspace's part of the backup bucket, as the gateway keeps them."""
    (bucket,) = one.account.cloud.all("bucket").keys() - {BUCKET}
    root = f"/buckets/{bucket}/labelspace/{one.account.name}/{folder}"
    code, said = inside(one.parts["storage"], ["find", root, "-type", "f"])
    return sorted(said.decode().split()) if code == 0 else []


def _knows(one: Machine, user: str) -> bool:
    return one.visitor().log_in(user, PASSWORD).status_code == 200


def test_no_managed_database_is_waited_for_and_no_dump_is_made(server: Machine) -> None:
    assert not server.account.cloud.all("instance")
    assert "labelspace-dump.timer" not in server.inside("systemctl", "list-unit-files", "--no-legend")
    server.inside("systemctl", "start", "labelspace-check.service")
    assert server.inside("systemctl", "--failed", "--no-legend") == ""


def test_the_recipe_on_the_server_is_that_of_the_image_which_runs(server: Machine) -> None:
    """It was loaded here, as no packages can be had inside; what would be built is the same."""
    image = server.inside(
        "docker", "inspect", "--format", "{{ .Config.Image }}", _named(server, "database")
    ).strip()
    assert image == postgres.image_name() == server.setting("DATABASE_IMAGE")
    names = server.inside("python3", "-m", "tarfile", "--list", cloud_init.IMAGE_CONTEXT)
    assert set(names.split()) == {
        str(path.relative_to(postgres.CONTEXT)) for path in postgres.context_files()
    }


def test_no_secret_is_in_user_data_or_in_what_inspection_shows(server: Machine) -> None:
    shown = server.inside("sh", "-c", "docker inspect $(docker ps --all --quiet); ps -eo args")
    password = next(text for path, text in server.secret_files.items() if path.startswith("database/0-"))
    for secret in (KEY, password.strip()):
        assert secret not in server.user_data
        assert secret not in shown


def test_every_change_is_archived_over_a_first_backup(server: Machine) -> None:
    state = _asked(server, "state")
    assert state["problems"] == []
    assert [row["complete"] for row in state["backups"]] == [True]
    before = state["last_archived"]
    assert server.visitor().sign_up("annotator-0").status_code == 201
    until(lambda: _asked(server, "state")["last_archived"] > before, "the change is archived")
    newest = _asked(server, "state")["last_archived"]
    assert any(newest in path for path in _kept(server, "database/archive/main"))
    assert _kept(server, "files/snapshots")


def test_a_restore_to_a_moment_loses_what_came_later_and_can_be_undone(server: Machine) -> None:
    taken = server.labelspace("backup")
    assert taken["id"] in [row["id"] for row in server.labelspace("backups")["backups"]]
    moment = server.inside("date", "--utc", "--iso-8601=seconds").strip()
    until(lambda: server.inside("date", "--utc", "--iso-8601=seconds").strip() > moment, "a later second")
    assert server.visitor().sign_up("annotator-1").status_code == 201
    done = server.labelspace("restore", "--to", moment, "--yes")
    _until_ready(server)
    assert (_knows(server, "annotator-0"), _knows(server, "annotator-1")) == (True, False)
    server.labelspace("restore", "--backup", done["kept"], "--yes")
    _until_ready(server)
    assert _knows(server, "annotator-1")


def test_a_drill_proves_the_rows_that_were_recorded(server: Machine) -> None:
    taken = server.labelspace("backup")
    proof = server.labelspace("drill", "--backup", taken["id"])
    (listed,) = [row for row in server.labelspace("backups")["backups"] if row["id"] == taken["id"]]
    assert proof["ok"], proof["reason"]
    assert proof["missing"] == []
    assert proof["rows"] == listed["rows"] > 0
    assert listed["proof"]["ok"] is True
    measured = json.loads(server.account.labelspace("status", server.account.name, "--json").stdout)
    assert measured["backup"]["last_id"] == taken["id"]
    assert measured["backup"]["drill"]["ok"] is True
    assert not [one for one in measured["checks"] if one["name"] in ("backups", "archive", "drill")]


def test_changes_that_cannot_be_archived_are_seen_and_wait(server: Machine) -> None:
    server.parts["storage"].stop()
    assert server.visitor().sign_up("annotator-3").status_code == 201
    check = ("systemctl", "start", "labelspace-check.service")
    said = "changes of the annotations are not archived"
    journal = ("journalctl", "--unit", "labelspace-check", "--lines", "5")
    until(
        lambda: not server.succeeds(*check) and said in server.inside(*journal),
        "it is seen that the archive fails",
    )
    server.parts["storage"].start()
    until(lambda: _asked(server, "state")["waiting_seconds"] == 0, "what waited is archived")
    server.inside(*check)


def test_a_restore_that_fails_leaves_the_workspace_serving(server: Machine) -> None:
    done = server.account.labelspace("restore", server.account.name, "--backup", "none", "--yes")
    assert done.returncode == 2, done.stderr
    assert "backup: 'none' is not there" in done.stderr
    _until_ready(server)
    assert _knows(server, "annotator-1")


def test_a_database_whose_volume_is_lost_comes_back_whole(server: Machine) -> None:
    """It does not begin empty while its backups exist: a restore is asked for."""
    assert server.visitor().sign_up("annotator-2").status_code == 201
    before = _asked(server, "state")["last_archived"]
    until(lambda: _asked(server, "state")["last_archived"] > before, "the change is archived")
    server.inside("docker", "rm", "--force", _named(server, "database"))
    server.inside("docker", "volume", "rm", _named(server, "database"))
    server.inside("systemctl", "restart", "--no-block", "labelspace.service")
    logs = ["docker", "logs", _named(server, "database")]
    until(lambda: "restore them" in inside(server.parts["server"], logs)[1].decode(), "it refuses to begin")
    server.labelspace("restore", "--yes")
    _until_ready(server)
    assert _knows(server, "annotator-2")


def test_an_upgrade_is_rehearsed_and_another_server_takes_up_the_volume(server: Machine) -> None:
    """By plain ``pulumi up``. The new version's images are the old ones' under its name."""
    before = _sql(server, "SELECT system_identifier FROM pg_control_system()")
    for part in ("server", "ui"):
        server.inside("docker", "tag", cvat_image(part, DEFAULT_CVAT), cvat_image(part, NEWER_CVAT))
    backups = {row["id"] for row in server.labelspace("backups")["backups"]}
    server.replace(registration="closed", cvat_version=NEWER_CVAT)
    assert server.left_running == "", "the update stopped the old server's containers in order"
    with pytest.raises(errors.NotFound):
        server.replaced.reload()
    _until_ready(server)
    assert _sql(server, "SELECT system_identifier FROM pg_control_system()") == before
    assert _knows(server, "annotator-2")
    state = _asked(server, "state")
    assert state["problems"] == []
    taken = [row["id"] for row in state["backups"] if row["id"] not in backups]
    assert len(taken) >= 2, "one was rehearsed, one taken once nobody wrote any more"
    runs = server.inside("docker", "inspect", "--format", "{{ .Config.Image }}", _named(server, "server"))
    assert runs.strip() == cvat_image("server", NEWER_CVAT)


def test_a_stop_takes_a_last_backup(server: Machine) -> None:
    before = {row["id"] for row in server.labelspace("backups")["backups"]}
    assert server.labelspace("stop")["backed_up"] is True
    kept = _kept(server, "database/backup/main")
    labels = {path.split("/")[-2] for path in kept if path.endswith("/backup.manifest")}
    assert len(labels - before) == 1


def test_what_was_stopped_comes_back_with_its_annotations(server: Machine) -> None:
    """The double of the API stops no machine: it goes down and up by hand."""
    name = server.account.name
    done = server.account.labelspace("start", name)
    assert server.account.only("instance_server")["state"] == "running", done.stderr
    server.reboot()
    _until_ready(server)
    assert _knows(server, "annotator-2")
    assert _asked(server, "state")["problems"] == []


def test_delete_takes_a_last_backup_and_proves_it_and_says_what_stays(server: Machine) -> None:
    """The double of the API lets the machine run on: its database is started again and asked."""
    name, bucket = server.account.name, server.setting("BACKUP_BUCKET")
    before = {row["id"] for row in server.labelspace("backups")["backups"]}
    done = server.account.labelspace("delete", name, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"removed; last backup (\S+); (.+)", done.stdout)
    assert found, done.stdout
    last, stays = found.groups()
    assert last not in before
    assert any(path.endswith(f"/{last}/backup.manifest") for path in _kept(server, "database/backup/main"))
    logs = inside(server.parts["server"], ["docker", "logs", "--tail", "20", _named(server, "database")])
    assert "database system is shut down" in logs[1].decode(), "PostgreSQL stopped in order"
    server.inside("docker", "start", _named(server, "database"))
    until(lambda: _answers(server), "the database of the machine that runs on answers")
    drill = _asked(server, "state")["drill"]
    assert (drill["backup"], drill["ok"]) == (last, True)
    volume = f"volume labelspace-{name}-data (4.30 EUR a month)"
    assert stays == f"{volume}; its buckets and s3://{bucket}/labelspace/{name} stay"
    left = {kind: set(items) for kind, items in server.account.cloud.kinds.items() if items}
    assert left.pop("access_key") == {cloud.KEY["access_key"]}, "the user's own"
    assert left.keys() == {"bucket", "volume"}
    assert left["bucket"] == {BUCKET, bucket}
    assert [one["name"] for one in server.account.cloud.all("volume").values()] == [f"labelspace-{name}-data"]
    assert not server.account.settings.exists()
