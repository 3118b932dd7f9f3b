"""The commands on a workspace whose database is on its server: a double of the API, a real S3 gateway.

Inside of a server they are tried by the tests of the booted one. The tests go one after another through the
life of one workspace.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account
from tests.e2e.endpoint import Endpoint, endpoint

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace_ops.backup import models as backup_models
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import server_database
from labelspace_ops.targets.scaleway import ssh as server_ssh
from labelspace_ops.targets.status import Status

NAME = "cloudown"
BACKUPS = f"labelspace-{NAME}-{UUID[:8]}-backups"
PLACE = f"labelspace/{NAME}/database"
FULL, INCR, BROKEN = "20261126-085642F", "20261126-085642F_20261126-145642I", "20261126-205642F"
OBJECTS = {
    "backup/main/backup.info": b"x",
    f"backup/main/{FULL}/bundle/1": b"12345",
    f"backup/main/{FULL}/backup.manifest": b"12",
    f"backup/main/{INCR}/bundle/1": b"123",
    f"backup/main/{INCR}/backup.manifest": b"1",
    f"backup/main/{BROKEN}/bundle/1": b"1",
    "backup/main/backup.history/2026/x.manifest.gz": b"1",
    "archive/main/15-1/0000000100000000/0000000100000000000000FF-" + "a" * 40 + ".zst": b"1",
    "archive/main/15-1/0000000200000000/000000020000000000000003-" + "b" * 40 + ".zst": b"1",
    "archive/main/15-1/0000000200000000/000000020000000000000002-" + "c" * 40 + ".zst": b"1",
    "archive/main/15-1/00000002.history": b"1",
}
"""As pgBackRest names them; the last backup was interrupted."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


@pytest.fixture(scope="module")
def made(cloud: Account) -> Account:
    done = cloud.labelspace(
        *("create", NAME, "--target", "scaleway", "--bucket", "fields", "--yes"),
        *("--set", "scaleway.wait_minutes=0", "--set", "scaleway.domain=labels.invalid"),
        *("--set", "scaleway.database=server"),
    )
    assert "workspace" in done.stdout, done.stderr
    assert "database" not in done.stderr.partition("costs")[2].partition("\n")[0]
    return cloud


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    keys = f"{ACCOUNT['SCW_ACCESS_KEY']}@{UUID}", ACCOUNT["SCW_SECRET_KEY"]
    folder = tmp_path_factory.mktemp("storage")
    with endpoint(folder, buckets=("fields", BACKUPS), keys=keys, region="fr-par") as one:
        yield one


def run(cloud: Account, storage: Endpoint, *words: str) -> subprocess.CompletedProcess[str]:
    return cloud.labelspace(*words, SCW_S3_ENDPOINT=storage.url, AWS_CA_BUNDLE=str(storage.authority))


def test_create_makes_the_key_of_the_backups_and_keeps_it_secret_in_the_stacks_file(made: Account) -> None:
    key = made.home.backup_key(NAME).read_text().strip()
    assert key not in made.settings.read_text()
    assert made.pulumi("config", "get", "--path", "labelspace:backup.encryption_key").strip() == key


def test_the_repository_is_known_by_what_was_made_also_when_no_update_ever_ended(made: Account) -> None:
    """One that waits for a database that wants to be restored first ends without outputs."""
    exported = json.loads(made.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    resources = [Resource.parse(one) for one in exported if one["type"] != "pulumi:pulumi:Stack"]
    key = made.home.backup_key(NAME).read_text().strip()
    values = {
        "name": NAME,
        "target": "scaleway",
        "buckets": [{"name": "fields"}],
        "backup": {"encryption_key": key},
    }
    there = server_database.server_repository(
        validate(ScalewaySpec, {**values, "scaleway": {"database": "server"}}), resources
    )
    assert there.where == f"s3://{BACKUPS}/labelspace/{NAME}"
    assert there.backup.bucket
    (mine,) = made.outputs()["bucket_keys"].values()
    assert there.backup.bucket.secret_key.get_secret_value() == mine["secret_key"]
    assert server_ssh.connect(NAME, resources, made.home).address == made.only("instance_ip")["address"]


def test_nothing_is_asked_of_managed_databases(made: Account, storage: Endpoint) -> None:
    run(made, storage, "status", NAME)
    assert not [path for _, path, _ in made.cloud.calls if path.startswith("/rdb/")]


def test_the_bucket_alone_tells_what_there_is(made: Account, storage: Endpoint) -> None:
    for key, body in OBJECTS.items():
        storage.client().put_object(Bucket=BACKUPS, Key=f"{PLACE}/{key}", Body=body)
    measured = json.loads(run(made, storage, "status", NAME, "--json").stdout)
    Status.model_validate(measured)
    backup = measured["backup"]
    assert (backup["copies"], backup["last_id"]) == (3, INCR)
    assert backup["last_archived"] == "000000020000000000000003"
    assert not [one for one in measured["checks"] if one["name"] in ("backups", "database", "snapshots")]
    said = json.loads(run(made, storage, "backups", NAME, "--json").stdout)
    backup_models.Backups.model_validate(said)
    rows = [(row["id"], row["kind"], row["size"], row["complete"]) for row in said["backups"]]
    assert rows == [(FULL, "full", 7, True), (INCR, "incr", 4, True), (BROKEN, "full", 1, False)]
    assert said["backups"][0]["files"] is None


@pytest.mark.parametrize("command", ["backup", "drill", "restore"])
def test_what_is_done_on_the_server_says_what_lets_it_in(
    made: Account, storage: Endpoint, command: str
) -> None:
    yes = ("--yes",) if command == "restore" else ()
    done = run(made, storage, command, NAME, *yes)
    assert done.returncode == 2
    assert "scaleway.ssh_cidrs is empty" in done.stderr


def test_an_upgrade_that_cannot_be_rehearsed_is_refused(made: Account) -> None:
    server = made.only("instance_server")["id"]
    refused = made.labelspace("set", NAME, "cvat_version=2.73.1", "--yes")
    assert refused.returncode == 2, refused.stderr
    assert "cvat_version: '2.73.1': an upgrade is rehearsed on the server" in refused.stderr
    assert "2.73.1" not in made.settings.read_text()
    made.pulumi("config", "set", "labelspace:cvat_version", "2.73.1")
    plain = made.run("up", "--yes", "--skip-preview")
    assert plain.returncode != 0
    assert "an upgrade is rehearsed on the server" in plain.stdout + plain.stderr
    assert made.only("instance_server")["id"] == server
    made.pulumi("config", "rm", "labelspace:cvat_version")


def test_the_other_kind_of_database_is_refused(made: Account) -> None:
    done = made.labelspace("set", NAME, "scaleway.database=managed", "--yes")
    assert done.returncode == 2
    assert f"{NAME} has its database on the server" in done.stderr


def test_a_stop_without_a_way_in_says_that_the_archive_is_what_there_is(made: Account) -> None:
    done = made.labelspace("stop", NAME, "--json")
    assert json.loads(done.stdout)["backed_up"] is False, done.stderr
    assert "no last backup: what was written until 30 s ago is archived" in done.stderr


def test_another_key_than_this_machines_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    key = home.made_backup_key("pets", "x" * 40)
    assert home.made_backup_key("pets") == key == "x" * 40
    with pytest.raises(ValueError, match="this machine's key of pets differs"):
        home.made_backup_key("pets", "y" * 40)
