"""What status and backups say of a workspace on Scaleway: a double of the API, a real S3 gateway.

The tests go one after another through the days of one workspace.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from testbed.scaleway_api.rdb import snapshot
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account
from tests.e2e.endpoint import Endpoint, endpoint

from labelspace.home import Home
from labelspace_ops.backup import models as backup_models
from labelspace_ops.targets.status import Status

NAME = "cloudlook"
BACKUPS = f"labelspace-{NAME}-{UUID[:8]}-backups"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        done = one.labelspace(
            *("create", NAME, "--target", "scaleway", "--bucket", "fields", "--yes"),
            *("--set", "scaleway.wait_minutes=0", "--set", "scaleway.domain=labels.invalid"),
        )
        assert "workspace" in done.stdout, done.stderr
        yield one


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    keys = f"{ACCOUNT['SCW_ACCESS_KEY']}@{UUID}", ACCOUNT["SCW_SECRET_KEY"]
    folder = tmp_path_factory.mktemp("storage")
    with endpoint(folder, buckets=("fields", BACKUPS), keys=keys, region="fr-par") as one:
        one.client().put_object(Bucket="fields", Key="a/b.png", Body=b"12345")
        yield one


def run(cloud: Account, storage: Endpoint, *words: str) -> subprocess.CompletedProcess[str]:
    return cloud.labelspace(*words, SCW_S3_ENDPOINT=storage.url, AWS_CA_BUNDLE=str(storage.authority))


def looked(cloud: Account, storage: Endpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """The status, and its checks by name."""
    measured = json.loads(run(cloud, storage, "status", NAME, "--json").stdout)
    Status.model_validate(measured)
    return measured, {check["name"]: check for check in measured["checks"]}


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_sizes_and_states_are_measured(cloud: Account, storage: Endpoint) -> None:
    measured, checks = looked(cloud, storage)
    assert measured["buckets"] == [
        {"name": "fields", "endpoint": "https://s3.fr-par.scw.cloud", "objects": 1, "bytes": 5}
    ]
    assert measured["server"] == "running"
    assert checks["server"]["ok"]
    assert measured["volume"]["bytes"] == 50 * 10**9
    assert measured["volume"]["attached"]
    assert measured["status"] == "degraded", "no server answers behind a double"
    assert not checks["certificate"]["ok"]
    assert measured["backup"]["copies"] == 0
    assert "snapshots" not in checks, "none is due yet"


def test_a_backup_is_a_snapshot_that_is_ready(cloud: Account, storage: Endpoint) -> None:
    taken = json.loads(run(cloud, storage, "backup", NAME, "--json").stdout)
    backup_models.BackupTaken.model_validate(taken)
    assert taken["kind"] == "snapshot"
    assert taken["id"] == cloud.only("snapshot")["id"]
    assert cloud.only("snapshot")["status"] == "ready"
    assert looked(cloud, storage)[0]["backup"]["last_id"] == taken["id"]


def test_snapshots_and_dumps_are_one_table(cloud: Account, storage: Endpoint) -> None:
    key = "dumps/2026-11-24T10-00-00Z.dump"
    storage.client().put_object(Bucket=BACKUPS, Key=key, Body=b"PGDMP")
    storage.client().put_object(Bucket=BACKUPS, Key=key.replace(".dump", ".json"), Body=b"{}")
    said = json.loads(run(cloud, storage, "backups", NAME, "--json").stdout)
    backup_models.Backups.model_validate(said)
    assert [(row["kind"], row["id"]) for row in said["backups"]] == [
        ("dump", "2026-11-24T10-00-00Z"),
        ("snapshot", cloud.only("snapshot")["id"]),
    ]
    plain = run(cloud, storage, "backups", NAME)
    assert "database alone" in plain.stdout
    assert "restorable: the moments above" in plain.stderr


def test_a_drill_that_failed_makes_it_degraded_until_one_proves(cloud: Account, storage: Endpoint) -> None:
    proof = {
        **{"backup": "2026-11-24T10-00-00Z", "when": days_ago(1), "ok": True, "reason": ""},
        **{"seconds": 9.5, "recorded": True, "tables": 90, "rows": 1234},
    }
    later = {**proof, "when": days_ago(0), "ok": False, "reason": "rows differ: public.a"}
    for made in (later, proof):
        key = f"proofs/{made['when']}.json"
        storage.client().put_object(Bucket=BACKUPS, Key=key, Body=json.dumps(made).encode())
    measured, checks = looked(cloud, storage)
    assert measured["backup"]["drill"] == later
    assert "rows differ: public.a" in checks["drill"]["detail"]
    assert "FAILED: rows differ" in run(cloud, storage, "backups", NAME).stdout
    storage.client().delete_object(Bucket=BACKUPS, Key=f"proofs/{later['when']}.json")
    measured, checks = looked(cloud, storage)
    assert (measured["backup"]["drill"], "drill" in checks) == (proof, False)
    assert f"proven {proof['when']}" in run(cloud, storage, "backups", NAME).stdout


def test_a_drill_that_is_late_makes_it_degraded(cloud: Account, storage: Endpoint) -> None:
    for one in storage.client().list_objects_v2(Bucket=BACKUPS, Prefix="proofs/")["Contents"]:
        storage.client().delete_object(Bucket=BACKUPS, Key=one["Key"])
    proof = {"backup": "gone", "when": days_ago(11.5), "ok": True, "reason": "", "seconds": 1.0}
    body = json.dumps(proof).encode()
    storage.client().put_object(Bucket=BACKUPS, Key="proofs/gone.json", Body=body)
    assert looked(cloud, storage)[1]["drill"]["detail"] == "the last is 11 days old, due every 7"
    storage.client().delete_object(Bucket=BACKUPS, Key="proofs/gone.json")


def test_a_copy_that_is_late_makes_it_degraded(cloud: Account, storage: Endpoint) -> None:
    cloud.only("snapshot")["created_at"] = days_ago(3)
    cloud.only("instance_server")["creation_date"] = days_ago(1)
    storage.client().delete_object(Bucket=BACKUPS, Key="dumps/2026-11-24T10-00-00Z.dump")
    measured, checks = looked(cloud, storage)
    assert measured["status"] == "degraded"
    assert checks["snapshots"]["detail"] == "the last snapshot is 72 h old, due every 24 h"
    assert checks["dumps"]["detail"] == "there is no dump after 24 h, due every 1 h"


def test_snapshots_that_were_turned_off_by_hand_are_reported(cloud: Account, storage: Endpoint) -> None:
    database = cloud.only("instance")
    automated = cloud.cloud.add("snapshot", snapshot(database, "automated", days_ago(0.2)))
    automated.update(status="ready", size=10 * 10**9)
    assert "snapshots" not in looked(cloud, storage)[1]
    database["backup_schedule"]["disabled"] = True
    assert "turned off by hand" in looked(cloud, storage)[1]["snapshots"]["detail"]
    database["backup_schedule"]["disabled"] = False


def test_a_renewed_certificate_of_the_database_gets_another_server(cloud: Account, storage: Endpoint) -> None:
    assert "database certificate" not in looked(cloud, storage)[1]
    server, database = cloud.only("instance_server")["id"], cloud.only("instance")
    database["_certificate"] = f"renewed\n{cloud.cloud.database_authority}"
    assert f"`labelspace create {NAME}`" in looked(cloud, storage)[1]["database certificate"]["detail"]
    done = cloud.labelspace("create", NAME, "--yes")
    assert cloud.only("instance_server")["id"] != server, done.stderr
    assert "database certificate" not in looked(cloud, storage)[1]


def test_a_server_that_was_stopped_by_hand_is_reported_and_started_again(
    cloud: Account, storage: Endpoint
) -> None:
    server = cloud.only("instance_server")
    server["state"] = "stopped"
    measured, checks = looked(cloud, storage)
    assert measured["status"] == measured["server"] == "stopped"
    assert "by hand in Scaleway's console" in checks["server"]["detail"]
    cloud.labelspace("create", NAME, "--yes")
    assert cloud.only("instance_server")["id"] == server["id"]
    assert looked(cloud, storage)[0]["server"] == "running"


def test_one_that_was_started_by_hand_is_reported(cloud: Account, storage: Endpoint) -> None:
    assert cloud.labelspace("stop", NAME).returncode == 0
    assert looked(cloud, storage)[0]["status"] == "stopped"
    cloud.only("instance_server")["state"] = "running"
    measured, checks = looked(cloud, storage)
    assert measured["status"] == "degraded"
    assert "costs money" in checks["server"]["detail"]


def test_a_bucket_and_a_volume_that_are_gone_are_reported(cloud: Account, storage: Endpoint) -> None:
    storage.client().delete_object(Bucket="fields", Key="a/b.png")
    storage.client().delete_bucket(Bucket="fields")
    volume = cloud.only("instance_server")["_volumes"]["1"]
    cloud.cloud.remove("volume", volume)
    _, checks = looked(cloud, storage)
    assert "NoSuchBucket" in checks["bucket fields"]["detail"]
    assert volume in checks["volume"]["detail"]


@pytest.mark.parametrize("verb", ["restore", "drill"])
def test_what_acts_inside_says_what_to_do_instead(cloud: Account, storage: Endpoint, verb: str) -> None:
    done = run(cloud, storage, verb, NAME, *(["--yes"] if verb == "restore" else []))
    assert done.returncode == 2
    assert "scaleway.ssh_cidrs is empty" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_machine_without_keys_says_so(cloud: Account) -> None:
    done = cloud.labelspace("status", NAME, "--json", SCW_SECRET_KEY=None)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert "SCW_SECRET_KEY is not set" in checks["account"]["detail"]
