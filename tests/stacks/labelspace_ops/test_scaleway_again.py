"""A name on Scaleway that was deleted and is made again takes up what was left; over the double of the API.

The tests go one after another through the life of one workspace in a project of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from tests.cloud import KEY, UUID, Account, account

from labelspace.home import Home

NAME = "cloudagain"
CREATE = (
    *("create", NAME, "--target", "scaleway", "--bucket", "street-2", "--yes", "--json"),
    *("--set", "scaleway.project=own", "--set", "scaleway.wait_minutes=0"),
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


def test_a_bucket_of_the_shared_project_cannot_move_into_an_own_one(cloud: Account) -> None:
    cloud.cloud.add("bucket", {"id": "street-2", "_project": UUID, "objects": 2})
    done = cloud.labelspace(*CREATE)
    assert done.returncode == 2
    assert "'street-2': it is in the shared project" in done.stderr
    assert not cloud.cloud.all("project")
    cloud.cloud.remove("bucket", "street-2")


def test_a_workspace_is_made_in_its_own_project(cloud: Account) -> None:
    done = cloud.labelspace(*CREATE)
    assert json.loads(done.stdout)["url"], done.stderr
    own = cloud.only("project")["id"]
    assert cloud.cloud.all("bucket")["street-2"]["_project"] == own
    assert cloud.only("instance")["project_id"] == own


def test_the_same_command_again_changes_nothing(cloud: Account) -> None:
    before = {kind: set(items) for kind, items in cloud.cloud.kinds.items()}
    done = cloud.labelspace(*CREATE)
    assert json.loads(done.stdout)["url"], done.stderr
    assert {kind: set(items) for kind, items in cloud.cloud.kinds.items()} == before


def test_a_workspace_stays_in_its_project(cloud: Account) -> None:
    done = cloud.labelspace("set", NAME, "scaleway.project=shared", "--yes")
    assert done.returncode == 2
    assert "nothing moves between projects" in done.stderr


def test_the_name_made_again_takes_up_project_and_buckets(cloud: Account) -> None:
    own = cloud.only("project")["id"]
    done = cloud.labelspace("delete", NAME, "--yes")
    assert done.returncode == 0, done.stderr
    cloud.cloud.all("bucket")["street-2"]["objects"] = 3
    done = cloud.labelspace(*CREATE)
    assert json.loads(done.stdout)["url"], done.stderr
    assert cloud.only("project")["id"] == own
    assert cloud.cloud.all("bucket")["street-2"]["objects"] == 3
