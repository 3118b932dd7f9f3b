"""Calls of Scaleway's API, against its double: pages, retries, and calls that are never repeated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud, Fault
from tests.e2e.cloud import ACCOUNT, KEY, UUID

from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.scaleway import account, availability
from labelspace_ops.targets.scaleway.account import Account
from labelspace_ops.targets.scaleway.answers import Answer, Named, Snapshot

SNAPSHOTS = "/rdb/v1/regions/fr-par/instances/x/snapshots"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(account, "PAUSE_SECONDS", 0.01)
    made = Cloud()
    made.add("access_key", dict(KEY), "access_key")
    with running(made) as address:
        for name, value in {**ACCOUNT, "SCW_API_URL": f"http://{address}"}.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def mine(cloud: Cloud) -> Account:
    return account.find()


@pytest.mark.parametrize("status", [429, 503, 0])
def test_a_temporary_error_is_retried(cloud: Cloud, mine: Account, status: int) -> None:
    cloud.faults = [Fault("GET", "/iam/v1alpha1/api-keys", status, {}, times=2)]
    assert mine.identity() == ("application_id", UUID)


def test_a_permanent_error_is_reported(cloud: Cloud, mine: Account) -> None:
    cloud.faults = [Fault("GET", "/iam/v1alpha1/api-keys", 429, {"message": "slow down"}, times=99)]
    with pytest.raises(OpsError, match="answers 429"):
        mine.identity()


def test_a_refused_key_is_not_retried(cloud: Cloud, mine: Account) -> None:
    cloud.faults = [Fault("GET", "/iam/v1alpha1/api-keys", 403, {})]
    with pytest.raises(OpsError, match="labelspace doctor --target scaleway"):
        mine.identity()
    assert len(cloud.calls) == 1


@pytest.mark.parametrize("status", [503, 0])
def test_a_snapshot_with_a_lost_response_is_not_taken_twice(cloud: Cloud, mine: Account, status: int) -> None:
    cloud.faults = [Fault("POST", "/snapshots$", status, {}, times=9)]
    with pytest.raises(OpsError):
        mine.post(SNAPSHOTS, {"name": "last"}, Snapshot)
    assert len(cloud.calls) == 1


def test_every_page_is_read(cloud: Cloud, mine: Account) -> None:
    for number in range(250):
        cloud.add("project", {"id": str(number), "name": f"p{number}"})
        cloud.add("instance_server", {"id": str(number), "name": f"s{number}", "project": UUID})
    assert len(list(mine.list_all("/account/v3/projects", "projects", Named))) == 250
    servers = mine.list_all("/instance/v1/zones/fr-par-1/servers", "servers", Named, project=UUID)
    assert len(list(servers)) == 250
    assert mine.count("/account/v3/projects") == 250


def test_every_type_is_asked_for(cloud: Cloud, mine: Account) -> None:
    cloud.sold_out = {"PRO2-XS"}
    assert availability.sold_out_types(mine, "fr-par-1") == {"PRO2-XS"}


def test_what_is_gone_can_be_dropped_again(mine: Account) -> None:
    mine.delete("/block/v1/zones/fr-par-1/volumes/none")
    assert mine.get_or_none("/block/v1/zones/fr-par-1/volumes/none", Answer) is None
