"""A workspace on Scaleway's double, by the real engine and the real provider: from the preview to destroy.

The tests of this file go one after another through the life of one workspace.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.scaleway_api.authorization import by_key, granted
from testbed.scaleway_api.cloud import Fault
from tests.e2e.cloud import DENIED, DEPLOYER, SOLD_OUT, Account, account

from labelspace.home import Home

QUOTA = {
    "type": "quotas_exceeded",
    "message": "quotas exceeded",
    "details": [{"resource": "InstanceServers", "quota": 1, "current": 1, "scope": "organization"}],
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    with account(folder, "cloudtest", Home.find().tools) as one:
        one.configure()
        yield one


@pytest.fixture(scope="module")
def planned(cloud: Account) -> dict[str, dict[str, Any]]:
    """The inputs of every resource in the preview of the new stack, by name."""
    states = [step["newState"] for step in cloud.preview()]
    assert not any(cloud.cloud.kinds.values()), "a preview makes nothing"
    return {f"{one['type']}::{one['urn'].rpartition('::')[2]}": one.get("inputs", {}) for one in states}


@pytest.fixture(scope="module")
def made(cloud: Account, planned: dict[str, dict[str, Any]]) -> Account:
    """The workspace, made in spite of three kinds of transient error."""
    cloud.cloud.faults += [
        Fault("POST", "/iam/v1alpha1/policies", 429, {"type": "too_many_requests", "message": "slow down"}),
        Fault("POST", "/block/v1/.*/volumes", 503, {"message": "unavailable"}),
        Fault("GET", "/rdb/v1/.*/instances/", 0, {}),
    ]
    cloud.up()
    assert not [fault for fault in cloud.cloud.faults if fault.times], "every fault was met"
    return cloud


def _of(planned: dict[str, dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [inputs for name, inputs in planned.items() if name.startswith(kind)]
    return found


def test_only_80_and_443_are_open(planned: dict[str, dict[str, Any]]) -> None:
    firewall = _of(planned, "scaleway:instance/securityGroup")
    assert firewall["inboundDefaultPolicy"] == "drop"
    rules = [(rule["action"], rule["protocol"], rule["port"]) for rule in firewall["inboundRules"]]
    assert rules == [("accept", "TCP", 80), ("accept", "TCP", 443)]


def test_the_database_has_no_public_endpoint(planned: dict[str, dict[str, Any]]) -> None:
    database = _of(planned, "scaleway:databases/instance")
    assert "loadBalancer" not in database
    assert database["privateNetwork"]["enableIpam"] is True
    assert database["encryptionAtRest"] is True
    assert database["disableBackup"] is False
    assert database["backupSameRegion"] is True
    assert database["backupScheduleRetention"] == 7
    assert database["engine"] == "PostgreSQL-15"


def test_buckets_are_private_versioned_and_never_emptied(planned: dict[str, dict[str, Any]]) -> None:
    buckets = [inputs for name, inputs in planned.items() if name.startswith("scaleway:object/bucket:")]
    assert {bucket["name"] for bucket in buckets} == {"street", "labelspace-cloudtest-11111111-backups"}
    for bucket in buckets:
        assert bucket["versioning"]["enabled"] is True
        assert not bucket.get("forceDestroy")
        assert "acl" not in bucket
        assert {rule["id"] for rule in bucket["lifecycleRules"]} >= {
            "old-versions",
            "delete-markers",
            "broken-uploads",
        }


def test_the_server_has_no_right_beyond_need(planned: dict[str, dict[str, Any]]) -> None:
    storage, secret = _of(planned, "scaleway:iam/policy")["rules"]
    assert set(storage["permissionSetNames"]) == {
        "ObjectStorageObjectsRead",
        "ObjectStorageBucketsRead",
        "ObjectStorageObjectsWrite",
    }
    assert secret["permissionSetNames"] == ["SecretManagerSecretAccess"]
    assert "organizationId" not in {*storage, *secret}


def test_nothing_changes_once_it_is_made(made: Account) -> None:
    made.pulumi("preview", "--expect-no-changes", "--refresh")


def test_outputs_are_those_of_every_target_and_what_it_costs(made: Account) -> None:
    outputs = made.outputs()
    address = made.only("instance_ip")["address"]
    assert outputs["url"] == f"https://{address.replace('.', '-')}.sslip.io"
    assert outputs["buckets"] == [
        {"name": "street", "endpoint": "https://s3.fr-par.scw.cloud", "region": "fr-par"}
    ]
    assert {"admin_password", "backups", "cvat_version", "target", "description"} <= outputs.keys()
    parts = outputs["cost"]["parts"]
    assert outputs["cost"]["eur_per_month_running"] == pytest.approx(sum(parts.values()), abs=0.02)
    server = next(price for part, price in parts.items() if part.startswith("server"))
    assert outputs["cost"]["eur_per_month_stopped"] == pytest.approx(sum(parts.values()) - server, abs=0.02)


def test_the_key_works_from_the_servers_address_alone(made: Account) -> None:
    for rule in made.only("policy")["_rules"]:
        assert f"request.ip == '{made.only('instance_ip')['address']}'" in rule["condition"].split(" && ")


def test_the_key_reads_its_own_secret_and_no_other_of_the_project(made: Account) -> None:
    key, own = made.only("access_key"), made.only("secret")
    own_address = made.only("instance_ip")["address"]
    other = {**own, "id": "another"}
    server = by_key(made.cloud, key["access_key"])
    assert server

    def reads(secret: dict[str, Any], ip: str) -> bool:
        sets = granted(made.cloud, server, secret["project_id"], ip=ip, resource=secret["id"])
        return "SecretManagerSecretAccess" in sets

    assert reads(own, own_address)
    assert not reads(other, own_address)
    assert not reads(own, "203.0.113.200")


def test_a_bucket_allows_the_reader_and_the_deployer(made: Account) -> None:
    policy = json.loads(made.cloud.all("bucket")["street"]["policy"])
    allowed = {who: one["Action"] for one in policy["Statement"] for who in one["Principal"]["SCW"]}
    reader = f"application_id:{made.only('application')['id']}"
    assert allowed == {reader: ["s3:ListBucket", "s3:GetObject"], DEPLOYER: ["s3:*"]}


def test_no_password_is_in_user_data_or_state(made: Account) -> None:
    user_data = made.only("instance_server")["_user_data"]["cloud-init"]
    state = Path(made.state / ".pulumi" / "stacks" / "labelspace" / "cloudtest.json").read_text()
    secret = made.only("secret")["_versions"][-1]["_data"]
    assert secret not in state
    for text in _passwords(secret, made.outputs()["admin_password"]):
        assert text not in user_data
        assert text not in state
    key = re.search(r"^ *SECRET_KEY=(.+)$", user_data, re.MULTILINE)
    assert key, "the key that IAM binds to the address is there"
    assert key[1] not in state


def _passwords(secret: str, admin: str) -> list[str]:
    files = json.loads(base64.b64decode(secret))
    database = files["pgpass"].strip().rpartition(":")[2]
    (redis,) = [text for path, text in files.items() if path.startswith("redis/")]
    return [admin, database, redis.split("requirepass ")[1].strip()]


def test_a_bigger_database_disk_keeps_database_and_server(made: Account) -> None:
    before = made.only("instance")["id"], made.only("instance_server")["id"]
    made.configure(scaleway={"database_gb": 15})
    made.up()
    assert (made.only("instance")["id"], made.only("instance_server")["id"]) == before
    assert made.only("instance")["volume"]["size"] == 15 * 10**9


def test_other_settings_replace_the_server_and_keep_volume_and_address(made: Account) -> None:
    before = made.only("instance_server")
    volume = [key for key in made.cloud.all("volume") if key != before["_volumes"]["0"]]
    address = made.only("instance_ip")["id"]
    made.configure(scaleway={"database_gb": 15}, registration="open")
    made.up()
    after = made.only("instance_server")
    assert after["id"] != before["id"]
    assert [after["_volumes"]["1"]] == volume
    assert after["_ips"] == [address]
    assert "Registration is closed" not in after["_user_data"]["cloud-init"]
    assert len(made.cloud.all("volume")) == 2, "the old root volume is gone"


def test_a_stopped_server_is_started_again(made: Account) -> None:
    server = made.only("instance_server")["id"]
    made.configure(scaleway={"database_gb": 15}, registration="open", running=False)
    made.up()
    assert made.only("instance_server")["state"] == "stopped"
    made.configure(scaleway={"database_gb": 15}, registration="open")
    made.up()
    assert made.only("instance_server")["state"] == "running"
    assert made.only("instance_server")["id"] == server


@pytest.mark.parametrize(
    ("status", "body", "said", "change"),
    [
        (403, DENIED, "insufficient permissions", {"default_role": "user"}),
        (403, QUOTA, "quota", {"registration": "open"}),
        (412, SOLD_OUT, "out of stock", {"registration": "closed"}),
        (412, SOLD_OUT, "out of stock", {"size": "medium"}),
    ],
)
def test_what_cannot_be_had_is_said_and_the_next_update_goes_on(
    made: Account, status: int, body: dict[str, Any], said: str, change: dict[str, str]
) -> None:
    """Each change replaces the server: the old one is gone when the new one is refused."""
    made.configure(scaleway={"database_gb": 15}, **change)
    made.cloud.faults = [Fault("POST", r"/servers$", status, body, times=9)]
    done = made.run("up", "--yes", "--skip-preview")
    assert done.returncode != 0
    assert said in (done.stdout + done.stderr).lower()
    made.cloud.faults = []
    made.up()
    assert made.only("instance_server")["state"] == "running"


def test_destroy_keeps_buckets_and_data_volume_alone(made: Account) -> None:
    made.cloud.all("bucket")["street"]["objects"] = 3
    made.pulumi("destroy", "--yes", "--skip-preview")
    left = {kind: len(items) for kind, items in made.cloud.kinds.items() if items}
    assert left == {"bucket": 2, "volume": 1}
    assert made.only("volume")["name"] == "labelspace-cloudtest-data"


def test_the_same_name_takes_up_buckets_and_volume_that_were_left(made: Account) -> None:
    volume = made.only("volume")["id"]
    taken_up = {"adopt_backups": True, "adopt_volume": volume}
    made.configure(buckets=[{"name": "street", "adopt": True}], scaleway=taken_up)
    made.up()
    assert made.only("instance_server")["_volumes"]["1"] == volume
    assert made.cloud.all("bucket")["street"]["objects"] == 3
    made.pulumi("preview", "--expect-no-changes")


def test_a_refused_change_of_the_servers_type_is_made_by_the_next_update(made: Account) -> None:
    """The old server is gone then; the plain next update needs neither a refresh nor a hand on the state."""
    taken_up = {"adopt_backups": True, "adopt_volume": made.only("instance_server")["_volumes"]["1"]}
    buckets = [{"name": "street", "adopt": True}]
    made.configure(buckets=buckets, scaleway={**taken_up, "server_type": "PRO2-XS"})
    made.cloud.faults = [Fault("POST", r"/servers$", 412, SOLD_OUT, times=9)]
    done = made.run("up", "--yes", "--skip-preview")
    assert done.returncode != 0
    assert not made.cloud.all("instance_server")
    made.cloud.faults = []
    made.up()
    assert made.only("instance_server")["commercial_type"] == "PRO2-XS"
    made.pulumi("preview", "--expect-no-changes", "--refresh")
