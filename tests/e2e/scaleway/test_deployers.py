"""Two people deploy one workspace: neither locks the other out of its buckets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from testbed.scaleway_api.authorization import Caller
from tests.e2e.cloud import DEPLOYER, KEY, UUID, Account, account

from labelspace.home import Home

ANN, BOB = DEPLOYER, "user_id:22222222-2222-4222-8222-222222222222"
BOBS_KEY = {
    "SCW_ACCESS_KEY": "SCWYYYYYYYYYYYYYYYYY",
    "SCW_SECRET_KEY": "22222222-2222-4222-8222-222222222222",
}
NAME = "cloudpair"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path, NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        bobs = {"access_key": BOBS_KEY["SCW_ACCESS_KEY"], "user_id": BOB.partition(":")[2]}
        one.cloud.add("access_key", bobs, "access_key")
        one.cloud.people[bobs["access_key"]] = Caller(BOB)
        one.pulumi("config", "set", "--path", "labelspace:scaleway.wait_minutes", "0")
        one.pulumi("config", "set", "--path", "labelspace:scaleway.trial_hostname", "true")
        one.pulumi("config", "set", "labelspace:target", "scaleway")
        yield one


def named(cloud: Account) -> set[str]:
    """The people whom the bucket's policy names."""
    statements = json.loads(cloud.cloud.all("bucket")["street"]["policy"])["Statement"]
    return {who for one in statements if one["Action"] == ["s3:*"] for who in one["Principal"]["SCW"]}


def bob_lists(cloud: Account) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{cloud.address}",
        aws_access_key_id=f"{BOBS_KEY['SCW_ACCESS_KEY']}@{UUID}",
        aws_secret_access_key=BOBS_KEY["SCW_SECRET_KEY"],
        region_name="fr-par",
    )
    client.list_objects_v2(Bucket="street")


def test_a_second_deployer_updates_and_the_first_keeps_access(cloud: Account) -> None:
    assert json.loads(cloud.labelspace("create", NAME, "--bucket", "street", "--yes", "--json").stdout)
    assert named(cloud) == {ANN}
    with pytest.raises(ClientError, match="AccessDenied"):
        bob_lists(cloud)

    cloud.labelspace("set", NAME, f"scaleway.deployers={BOB}", "--yes", "--json")
    assert named(cloud) == {ANN, BOB}
    bob_lists(cloud)

    cloud.labelspace("set", NAME, "scaleway.data_gb=60", "--yes", "--json", **BOBS_KEY)
    assert named(cloud) == {ANN, BOB}
    cloud.pulumi("preview", "--refresh", "--expect-no-changes")


def test_the_people_of_the_last_update_stay_when_the_settings_name_nobody(cloud: Account) -> None:
    cloud.labelspace("create", NAME, "--bucket", "street", "--yes", "--json")
    cloud.labelspace("set", NAME, f"scaleway.deployers={BOB}", "--yes", "--json")
    cloud.pulumi("config", "rm", "--path", "labelspace:scaleway.deployers")
    cloud.labelspace("create", NAME, "--yes", "--json", **BOBS_KEY)
    assert named(cloud) == {ANN, BOB}
