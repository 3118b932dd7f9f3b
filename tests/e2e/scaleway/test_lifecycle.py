"""The commands on the scaleway target, over the double of its API."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from testbed.scaleway_api.cloud import Cloud, access_key
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account

from labelspace.home import Home


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account whose key belongs to an application, and a workspace that no update waits for."""
    with account(tmp_path_factory.mktemp("account"), "cloudcli", Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        one.pulumi("config", "set", "--path", "labelspace:scaleway.wait_minutes", "0")
        one.pulumi("config", "set", "--path", "labelspace:scaleway.trial_hostname", "true")
        one.pulumi("config", "set", "labelspace:target", "scaleway")
        yield one


def run(cloud: Account, *arguments: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
    return cloud.labelspace(*arguments, **changed)


def test_keys_that_are_missing_or_malformed_are_named(cloud: Account) -> None:
    done = run(
        cloud,
        "create",
        "other",
        "--target",
        "scaleway",
        "--bucket",
        "b-1",
        "--yes",
        SCW_ACCESS_KEY=None,
        SCW_SECRET_KEY="x",
        SCW_DEFAULT_PROJECT_ID="",
    )
    assert done.returncode == 1
    assert "SCW_ACCESS_KEY is not set" in done.stderr
    assert "SCW_DEFAULT_PROJECT_ID is set and empty" in done.stderr
    assert "SCW_SECRET_KEY has the wrong form" in done.stderr
    assert "Traceback" not in done.stderr


def test_create_says_what_it_costs_adopts_its_buckets_and_names_who_deploys(cloud: Account) -> None:
    cloud.cloud.add("bucket", {"id": "street", "_project": UUID, "objects": 2})
    done = run(cloud, "create", "cloudcli", "--bucket", "street", "--yes", "--json")
    measured = json.loads(done.stdout)
    assert "54.89 EUR a month, 23.62 while stopped" in done.stderr
    assert measured["target"] == "scaleway"
    assert measured["status"] == "degraded", "no server answers behind a double"
    assert measured["checks"][0]["name"] == "health"
    assert measured["cost"]["eur_per_month_running"] == 54.89
    assert UUID in cloud.cloud.all("bucket")["street"]["policy"]
    assert cloud.cloud.all("bucket")["street"]["objects"] == 2


def test_doctor_asks_the_api_for_each_product(cloud: Account) -> None:
    done = run(cloud, "doctor", "--target", "scaleway", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["Scaleway account"]["ok"]
    assert checks["Scaleway IAM"]["ok"]


def test_doctor_names_the_rights_that_a_refused_key_lacks(cloud: Account) -> None:
    cloud.cloud.remove("access_key", ACCOUNT["SCW_ACCESS_KEY"])
    cloud.cloud.add("access_key", {"access_key": access_key()}, "access_key")
    done = run(cloud, "doctor", "--target", "scaleway", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert "IAMApplicationManager" in checks["Scaleway IAM"]["detail"]
    cloud.cloud.add("access_key", dict(KEY), "access_key")


def test_delete_says_what_stays_and_what_it_costs(cloud: Account) -> None:
    refused = run(cloud, "delete", "cloudcli", "--purge")
    assert refused.returncode == 2
    done = run(cloud, "delete", "cloudcli", "--yes")
    assert done.returncode == 0, done.stderr
    assert "volume labelspace-cloudcli-data (4.30 EUR a month)" in done.stdout
    left: Cloud = cloud.cloud
    assert {kind for kind, items in left.kinds.items() if items} == {
        "bucket",
        "volume",
        "snapshot",
        "access_key",
    }
