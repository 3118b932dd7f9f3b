"""What Scaleway refuses or loses in mid-create, and that the same command goes on; over the double.

The tests go one after another through the life of one workspace.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from testbed.scaleway_api.cloud import Fault
from tests.e2e.cloud import DENIED, KEY, SOLD_OUT, Account, account

from labelspace.home import Home

NAME = "cloudtroubles"
CREATE = ("create", NAME, "--target", "scaleway", "--bucket", "lanes", "--yes", "--json")
QUICK = ("--set", "scaleway.wait_minutes=0", "--set", "scaleway.trial_hostname=true")
QUOTA = {
    "type": "quotas_exceeded",
    "message": "quotas exceeded",
    "details": [{"resource": "projects", "quota": 1, "current": 1, "scope": "organization"}],
}
RESCUE = "88888888-8888-4888-8888-888888888888"
KINDS = ("instance", "instance_ip", "instance_server", "application", "policy", "private_network", "secret")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


def create(cloud: Account, *more: str) -> subprocess.CompletedProcess[str]:
    done = cloud.labelspace(*CREATE, *QUICK, *more)
    assert "Traceback" not in done.stderr
    return done


def whole(cloud: Account) -> bool:
    """Whether there is one of each, and the server runs."""
    counts = {kind: len(cloud.cloud.all(kind)) for kind in KINDS}
    assert counts == dict.fromkeys(KINDS, 1)
    return bool(cloud.only("instance_server")["state"] == "running")


def test_a_type_that_is_sold_out_is_refused_before_anything_is_made(cloud: Account) -> None:
    cloud.cloud.sold_out = {"DEV1-L", "DB-PLAY2-NANO"}
    done = create(cloud)
    assert done.returncode == 2
    assert "scaleway.server_type: 'DEV1-L' is sold out" in done.stderr
    assert "PRO2-XXS (41 EUR a month)" in done.stderr
    done = create(cloud, "--set", "size=medium")
    assert done.returncode == 2
    assert "scaleway.database_type: 'DB-PLAY2-NANO' is sold out" in done.stderr
    assert not any(cloud.cloud.all(kind) for kind in KINDS)
    cloud.cloud.sold_out = set()


def test_a_type_that_nobody_knows_is_refused_with_those_that_are_offered(cloud: Account) -> None:
    asked = len(cloud.cloud.calls)
    done = create(cloud, "--set", "scaleway.server_type=DEV1-S")
    assert done.returncode == 2
    assert len(cloud.cloud.calls) == asked, "Scaleway was not asked"
    assert "scaleway.server_type: 'DEV1-S' is not offered: choose one of DEV1-L (31 EUR)" in done.stderr


@pytest.mark.parametrize(
    ("path", "status", "body", "step"),
    [
        ("/iam/v1alpha1/api-keys$", 403, DENIED, "new permissions take some seconds to apply"),
        ("/servers$", 412, SOLD_OUT, "choose another type, such as"),
        ("/servers$", 403, QUOTA, "doctor --target scaleway` shows the quotas"),
        (
            "/rdb/v1/regions/fr-par/instances$",
            429,
            {"type": "too_many_requests"},
            "run the same command again to continue",
        ),
    ],
)
def test_a_refusal_is_reported_with_the_next_step_and_the_same_command_goes_on(
    cloud: Account, path: str, status: int, body: dict[str, Any], step: str
) -> None:
    cloud.labelspace("delete", NAME, "--yes")
    for kind in (*KINDS, "volume", "bucket", "snapshot"):
        cloud.cloud.all(kind).clear()
    cloud.cloud.faults = [Fault("POST", path, status, body, times=99)]
    done = create(cloud)
    assert done.returncode == 1
    assert step in done.stderr
    cloud.cloud.faults = []
    assert json.loads(create(cloud).stdout)["server"] == "running"
    assert whole(cloud)


def test_a_server_whose_creation_was_not_answered_is_replaced_by_the_stacks_own(cloud: Account) -> None:
    """The provider asks again by itself, and is refused: the volume is in use by the server that it lost."""
    cloud.cloud.faults = [Fault("POST", "/servers$", 0, {}, after=True)]
    refused = cloud.labelspace("set", NAME, "registration=open", "--yes", "--json")
    assert refused.returncode == 1
    lost = cloud.only("instance_server")["id"]
    assert json.loads(create(cloud, "--set", "registration=open").stdout)["server"] == "running"
    assert whole(cloud)
    assert cloud.only("instance_server")["id"] != lost
    assert len(cloud.cloud.all("volume")) == 2, (
        "the lost server's root volume is gone, the data volume is kept"
    )


def test_a_server_of_somebody_else_is_left_alone(cloud: Account) -> None:
    server = cloud.only("instance_server")
    rescue = cloud.cloud.add("instance_server", {**server, "id": RESCUE, "tags": [], "_ips": [], "_nics": {}})
    (used,) = cloud.cloud.all("volume")[server["_volumes"]["1"]]["references"]
    used["product_resource_id"] = RESCUE
    done = create(cloud)
    assert done.returncode == 1
    assert f"is attached to server {RESCUE} of another owner" in done.stderr
    assert cloud.cloud.all("instance_server")[RESCUE] is rescue
    used["product_resource_id"] = server["id"]
    cloud.cloud.remove("instance_server", RESCUE)


def test_a_database_whose_creation_was_not_answered_is_reported(cloud: Account) -> None:
    """It cannot be distinguished from one that holds annotations: a person removes it."""
    lost = {**cloud.only("instance"), "id": "99999999-9999-4999-8999-999999999999"}
    cloud.cloud.add("instance", lost)
    done = cloud.labelspace("status", NAME, "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert f"billed, but in no stack: instance {lost['id']}" in checks["orphans"]["detail"]


def test_a_change_to_a_type_that_is_sold_out_keeps_the_server(cloud: Account) -> None:
    server = cloud.only("instance_server")["id"]
    cloud.cloud.sold_out = {"PRO2-XS"}
    done = cloud.labelspace("set", NAME, "scaleway.server_type=PRO2-XS", "--yes")
    assert done.returncode == 2
    assert "nothing was changed" in done.stderr
    assert cloud.only("instance_server")["id"] == server
    cloud.cloud.sold_out = set()


def test_a_refused_change_of_the_type_is_gone_on_with(cloud: Account) -> None:
    cloud.cloud.faults = [Fault("POST", "/servers$", 412, SOLD_OUT, times=9)]
    done = cloud.labelspace("set", NAME, "scaleway.server_type=PRO2-XS", "--yes")
    assert done.returncode == 1
    cloud.cloud.faults = []
    assert not cloud.cloud.all("instance_server")
    done = cloud.labelspace("create", NAME, "--yes", "--json")
    assert json.loads(done.stdout)["server"] == "running", done.stderr
    assert cloud.only("instance_server")["commercial_type"] == "PRO2-XS"


def test_plain_pulumi_refuses_a_type_that_nobody_knows_in_a_sentence(cloud: Account) -> None:
    cloud.pulumi("config", "set", "--path", "labelspace:scaleway.server_type", "DEV1-S")
    done = cloud.run("preview")
    assert done.returncode != 0
    assert "scaleway.server_type: 'DEV1-S' is not offered" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
