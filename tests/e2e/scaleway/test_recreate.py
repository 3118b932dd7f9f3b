"""A name on Scaleway that was deleted and is made again reuses what was left; over the double of the API.

The tests go one after another through the life of one workspace in a project of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from testbed.scaleway_api.cloud import Fault
from tests.e2e.cloud import KEY, UUID, Account, account

from labelspace.home import Home

NAME = "cloudagain"
DENIED = {"type": "permissions_denied", "message": "insufficient permissions", "details": []}
CREATE = (
    *("create", NAME, "--target", "scaleway", "--bucket", "street-2", "--yes", "--json"),
    *("--set", "scaleway.project=own", "--set", "scaleway.wait_minutes=0"),
    *("--set", "scaleway.trial_hostname=true"),
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


@pytest.mark.parametrize("bucket", ["street-2", f"labelspace-{NAME}-{UUID[:8]}-backups"])
def test_a_bucket_of_the_shared_project_cannot_move_into_an_own_one(cloud: Account, bucket: str) -> None:
    cloud.cloud.add("bucket", {"id": bucket, "_project": UUID, "objects": 2})
    done = cloud.labelspace(*CREATE)
    assert done.returncode == 2
    assert f"'{bucket}': it is in the shared project" in done.stderr
    assert not cloud.cloud.all("project")
    cloud.cloud.remove("bucket", bucket)


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


def test_a_delete_without_its_last_snapshot_removes_nothing(cloud: Account) -> None:
    before = {kind: set(items) for kind, items in cloud.cloud.kinds.items()}
    cloud.cloud.faults = [Fault("POST", "/snapshots$", 403, DENIED)]
    done = cloud.labelspace("delete", NAME, "--yes")
    assert done.returncode == 1
    assert "the last snapshot failed" in done.stderr
    assert "nothing was removed" in done.stderr
    assert {kind: set(items) for kind, items in cloud.cloud.kinds.items()} == before


def test_delete_takes_a_last_snapshot_and_says_what_stays(cloud: Account) -> None:
    done = cloud.labelspace("delete", NAME, "--yes", "--json")
    said = json.loads(done.stdout)
    last = cloud.only("snapshot")
    assert last["status"] == "ready"
    assert said["backed_up"]
    assert said["last_backup"] == last["id"]
    assert "volume labelspace-cloudagain-data (4.30 EUR a month)" in said["kept"]
    until = last["expires_at"][:10]
    assert f"1 snapshots of the database (0.32 EUR a month, the last until {until})" in said["kept"]
    left = {kind for kind, items in cloud.cloud.kinds.items() if items}
    assert left == {"access_key", "bucket", "project", "snapshot", "volume"}


def test_plain_pulumi_says_what_was_left_before_it_makes_anything(cloud: Account) -> None:
    volume, own = cloud.only("volume")["id"], cloud.only("project")["id"]
    cloud.pulumi("stack", "init")
    buckets = [{"name": "street-2", "adopt": True}]
    cloud.configure(buckets=buckets, scaleway={"project": "own"})
    done = cloud.run("preview")
    assert done.returncode != 0
    assert f"left its project {own}" in done.stdout + done.stderr
    cloud.configure(buckets=buckets, scaleway={"project": "own", "adopt_project": own})
    done = cloud.run("up", "--yes", "--skip-preview")
    assert done.returncode != 0
    assert f"left the data volume {volume} (50 GB, 4.30 EUR a month)" in done.stdout + done.stderr
    assert "labelspace:scaleway.adopt_volume" in done.stdout + done.stderr
    assert set(cloud.cloud.all("volume")) == {volume}
    cloud.pulumi("stack", "rm", "--yes")


def test_the_name_made_again_takes_up_project_buckets_and_volume(cloud: Account) -> None:
    own, volume = cloud.only("project")["id"], cloud.only("volume")["id"]
    cloud.cloud.all("bucket")["street-2"]["objects"] = 3
    cloud.cloud.all("volume")[volume]["size"] = 60 * 10**9
    done = cloud.labelspace(*CREATE)
    assert json.loads(done.stdout)["url"], done.stderr
    assert f"reuses volume {volume} (60 GB)" in done.stderr
    assert cloud.only("project")["id"] == own
    assert cloud.cloud.all("bucket")["street-2"]["objects"] == 3
    assert cloud.only("instance_server")["_volumes"]["1"] == volume
    assert cloud.cloud.all("volume")[volume]["size"] == 60 * 10**9
    cloud.pulumi("preview", "--expect-no-changes")


def test_the_volume_of_a_workspace_is_never_exchanged(cloud: Account) -> None:
    mine = cloud.only("instance_server")["_volumes"]["1"]
    key = ("config", "set", "--path", "labelspace:scaleway.adopt_volume")
    done = cloud.labelspace("set", NAME, f"scaleway.adopt_volume={UUID}", "--yes")
    assert done.returncode == 2
    assert "has the data volume" in done.stderr
    cloud.pulumi(*key, UUID)
    plain = cloud.run("preview")
    assert plain.returncode != 0
    assert "has the data volume" in plain.stdout + plain.stderr
    cloud.pulumi(*key, mine)


def test_a_name_whose_volume_another_server_uses_is_taken(cloud: Account) -> None:
    state = cloud.state / ".pulumi" / "stacks" / "labelspace" / f"{NAME}.json"
    aside = state.rename(state.with_suffix(".aside"))
    try:
        done = cloud.labelspace(*CREATE)
    finally:
        aside.rename(state)
    assert done.returncode == 2
    assert f"name: '{NAME}' is taken: a server uses its data volume" in done.stderr
