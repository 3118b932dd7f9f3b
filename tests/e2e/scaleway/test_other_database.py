"""A name on Scaleway that was deleted and is made again with the other kind of database: refused, as it would
begin empty. The tests go one after another through the life of one name, over the double of the API.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from testbed.scaleway_api.cloud import Fault
from tests.e2e.cloud import DENIED, KEY, UUID, Account, account

from labelspace.home import Home
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import retained

NAME = "cloudkinds"
BACKUPS = f"labelspace-{NAME}-{UUID[:8]}-backups"
DUMP, PROOF = "dumps/2026-11-20T10-00-00Z.dump", "proofs/2026-11-20T10-00-00Z.json"
ARCHIVED = f"labelspace/{NAME}/database/archive/main/archive.info"
OF_ANOTHER = f"labelspace/{NAME}-2/database/archive/main/archive.info"
MANAGED = f"an earlier {NAME} had a managed database and left"
SERVER = f"an earlier {NAME} had its database on the server and left"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


def asked(cloud: Account, command: str, kind: str) -> subprocess.CompletedProcess[str]:
    new = ("--target", "scaleway", "--bucket", "fields", "--set", "scaleway.wait_minutes=0")
    trial = ("--set", "scaleway.trial_hostname=true")
    yes = ("--yes",) if command == "create" else ()
    return cloud.labelspace(command, NAME, *new, *trial, *yes, "--json", "--set", f"scaleway.database={kind}")


def is_made(cloud: Account, kind: str) -> str:
    """What the command said."""
    done = asked(cloud, "create", kind)
    assert json.loads(done.stdout)["url"], done.stderr
    return done.stderr


def holds(cloud: Account, *keys: str) -> None:
    cloud.cloud.all("bucket")[BACKUPS]["_keys"] = list(keys)


def there(cloud: Account) -> dict[str, set[str]]:
    return {kind: set(items) for kind, items in cloud.cloud.kinds.items() if items}


def refused(cloud: Account, kind: str, command: str = "create") -> str:
    """What is said before anything is made."""
    before = there(cloud)
    done = asked(cloud, command, kind)
    assert done.returncode == 2, done.stdout + done.stderr
    assert there(cloud) == before
    assert f"scaleway.database: '{kind}': " in done.stderr
    return done.stderr


def plainly_refused(cloud: Account, kind: str) -> str:
    """By ``pulumi up``, with settings that reuse what was left."""
    before, volume = there(cloud), cloud.only("volume")["id"]
    cloud.pulumi("stack", "init")
    reused = {"database": kind, "adopt_volume": volume, "adopt_backups": True}
    cloud.configure(
        buckets=[{"name": "fields", "adopt": True}], scaleway=reused, backup={"encryption_key": "k" * 40}
    )
    done = cloud.run("up", "--yes", "--skip-preview")
    assert done.returncode != 0
    assert there(cloud) == before
    cloud.pulumi("stack", "rm", "--yes")
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def was_managed(cloud: Account) -> Account:
    is_made(cloud, "managed")
    assert cloud.labelspace("delete", NAME, "--yes").returncode == 0
    return cloud


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([DUMP, PROOF], f"dumps/ and proofs/ in bucket {BACKUPS}"),
        ([PROOF], f"proofs/ in bucket {BACKUPS}"),  # dumps expire
        ([OF_ANOTHER], "its snapshots"),
    ],
)
def test_one_on_the_server_is_refused_where_a_managed_one_was(
    was_managed: Account, keys: list[str], said: str
) -> None:
    holds(was_managed, *keys)
    text = refused(was_managed, "server")
    assert f"{MANAGED} {said}, and annotations do not move" in text
    assert "go on with scaleway.database=managed, or choose another name" in text


def test_the_preview_and_plain_pulumi_refuse_it_too(was_managed: Account) -> None:
    holds(was_managed, DUMP)
    assert MANAGED in refused(was_managed, "server", "preview")
    assert MANAGED in plainly_refused(was_managed, "server")


@pytest.fixture(scope="module")
def was_on_the_server(was_managed: Account) -> Account:
    """What the managed one left was removed by hand; that snapshots cannot be asked for is no obstacle."""
    was_managed.cloud.all("snapshot").clear()
    holds(was_managed)
    was_managed.cloud.faults = [Fault("GET", "/rdb/.*/snapshots$", 403, DENIED, times=9)]
    is_made(was_managed, "server")
    was_managed.cloud.faults = []
    assert was_managed.labelspace("delete", NAME, "--yes").returncode == 0
    holds(was_managed, ARCHIVED)
    return was_managed


def test_a_managed_one_is_refused_where_one_on_the_server_was(was_on_the_server: Account) -> None:
    text = refused(was_on_the_server, "managed")
    assert f"{SERVER} labelspace/{NAME}/ in bucket {BACKUPS}, and annotations do not move" in text
    assert "go on with scaleway.database=server, or choose another name" in text
    assert SERVER in plainly_refused(was_on_the_server, "managed")


@pytest.mark.parametrize("kind", ["managed", "server"])
def test_both_kinds_of_copies_ask_for_another_name_or_a_hand(was_on_the_server: Account, kind: str) -> None:
    holds(was_on_the_server, ARCHIVED, DUMP)
    text = refused(was_on_the_server, kind)
    assert f"workspaces {NAME} with each kind of database were here" in text
    assert f"labelspace/{NAME}/ in bucket {BACKUPS}" in text
    assert f"dumps/ in bucket {BACKUPS}" in text
    assert "choose another name, or remove in Scaleway's console" in text


def test_the_same_kind_goes_on_with_what_was_left(was_on_the_server: Account) -> None:
    holds(was_on_the_server, ARCHIVED)
    volume = was_on_the_server.only("volume")["id"]
    assert f"reuses volume {volume}" in is_made(was_on_the_server, "server")


def test_once_made_it_is_not_asked_what_others_left(was_on_the_server: Account) -> None:
    """One that an older version allowed next to the copies of the other kind can still be changed."""
    holds(was_on_the_server, ARCHIVED, DUMP)
    is_made(was_on_the_server, "server")
    was_on_the_server.pulumi("preview", "--expect-no-changes")


def test_a_stack_whose_first_update_never_ended_has_its_kind() -> None:
    def known(*kinds: str) -> list[Resource]:
        return [Resource(kind) for kind in kinds]

    assert retained.kind_of_database(known(retained.DATABASE)) == "managed"
    assert retained.kind_of_database(known(retained.DATABASE_INSIDE, retained.SERVER)) == "server"
    assert retained.kind_of_database(known(retained.DATABASE_INSIDE)) == "", "nothing was written yet"
