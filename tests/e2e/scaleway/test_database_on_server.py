"""A workspace whose database is on the server, on Scaleway's double: from the preview to what is left."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.cloud import DEPLOYER, Account, account

from labelspace.home import Home

KEY = "a-key-that-encrypts-what-is-in-the-bucket"
BACKUPS = "labelspace-owndata-11111111-backups"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), "owndata", Home.find().tools) as one:
        one.configure(scaleway={"database": "server"}, backup={"encryption_key": KEY})
        yield one


@pytest.fixture(scope="module")
def planned(cloud: Account) -> dict[str, Any]:
    """The types of all resources in the preview of the new stack, each with its last one's inputs."""
    return {one["newState"]["type"]: one["newState"].get("inputs", {}) for one in cloud.preview()}


@pytest.fixture(scope="module")
def made(cloud: Account, planned: dict[str, Any]) -> Account:
    cloud.up()
    return cloud


def test_no_managed_database_is_planned(planned: dict[str, Any]) -> None:
    assert not [kind for kind in planned if kind.startswith("scaleway:databases")]


def test_the_server_may_delete_objects_and_nothing_else_besides(planned: dict[str, Any]) -> None:
    storage, secret = planned["scaleway:iam/policy:Policy"]["rules"]
    assert set(storage["permissionSetNames"]) == {
        "ObjectStorageObjectsRead",
        "ObjectStorageBucketsRead",
        "ObjectStorageObjectsWrite",
        "ObjectStorageObjectsDelete",
    }
    assert secret["permissionSetNames"] == ["SecretManagerSecretAccess"]


def test_nothing_changes_once_it_is_made(made: Account) -> None:
    assert not made.cloud.all("instance"), "no managed database"
    made.pulumi("preview", "--expect-no-changes", "--refresh")


def _principals(statement: dict[str, Any]) -> list[str]:
    found = statement["Principal"]["SCW"]
    return [found] if isinstance(found, str) else list(found)


def test_only_in_the_bucket_of_backups_it_may_delete(made: Account) -> None:
    reader = f"application_id:{made.only('application')['id']}"
    allowed = {
        name: {
            who: set(one["Action"])
            for one in json.loads(bucket["policy"])["Statement"]
            for who in _principals(one)
        }
        for name, bucket in made.cloud.all("bucket").items()
    }
    read = {"s3:ListBucket", "s3:GetObject"}
    assert allowed == {
        "street": {reader: read, DEPLOYER: {"s3:*"}},
        BACKUPS: {reader: read | {"s3:PutObject", "s3:DeleteObject"}, DEPLOYER: {"s3:*"}},
    }


def test_the_secret_file_tells_pgbackrest_of_the_bucket_and_its_key(made: Account) -> None:
    files = json.loads(base64.b64decode(made.only("secret")["_versions"][-1]["_data"]))
    (pgbackrest,) = [text for path, text in files.items() if path.endswith("pgbackrest.conf")]
    assert f"repo1-s3-bucket={BACKUPS}\n" in pgbackrest
    assert "repo1-s3-endpoint=s3.fr-par.scw.cloud\n" in pgbackrest
    assert f"repo1-cipher-pass={KEY}\n" in pgbackrest
    assert "pgpass" not in files


def test_no_secret_is_in_user_data_or_state(made: Account) -> None:
    user_data = made.only("instance_server")["_user_data"]["cloud-init"]
    state = Path(made.state / ".pulumi" / "stacks" / "labelspace" / "owndata.json").read_text()
    files = json.loads(base64.b64decode(made.only("secret")["_versions"][-1]["_data"]))
    (password,) = [text for path, text in files.items() if path.startswith("database/0-")]
    for text in (KEY, password.strip(), made.outputs()["admin_password"]):
        assert text not in user_data
        assert text not in state


def test_outputs_say_where_the_backups_are_and_cost_no_database(made: Account) -> None:
    outputs = made.outputs()
    assert outputs["backups"]["where"] == f"s3://{BACKUPS}/labelspace/owndata"
    assert outputs["database"] == "server"
    assert not [part for part in outputs["cost"]["parts"] if part.startswith("database")]


def test_a_workspace_keeps_its_kind_of_database(made: Account) -> None:
    made.configure()
    done = made.run("preview")
    assert done.returncode != 0
    assert "scaleway.database: 'managed': owndata has its database on the server" in done.stdout + done.stderr
    made.configure(scaleway={"database": "server"})
    done = made.run("preview")
    assert "labelspace:backup.encryption_key KEY" in done.stdout + done.stderr
    made.configure(scaleway={"database": "server"}, backup={"encryption_key": KEY})


def test_destroy_keeps_buckets_and_volume_and_another_takes_them_up(made: Account) -> None:
    made.pulumi("destroy", "--yes", "--skip-preview")
    left = {kind: len(items) for kind, items in made.cloud.kinds.items() if items}
    assert left == {"bucket": 2, "volume": 1}
    volume = made.only("volume")["id"]
    taken_up = {"database": "server", "adopt_backups": True, "adopt_volume": volume}
    made.configure(
        buckets=[{"name": "street", "adopt": True}], scaleway=taken_up, backup={"encryption_key": KEY}
    )
    made.up()
    assert made.only("instance_server")["_volumes"]["1"] == volume
    made.pulumi("preview", "--expect-no-changes")
