"""A workspace in a project of its own, by the real engine and provider: made, left at destroy, reused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.cloud import UUID, Account, account

from labelspace.home import Home

OWN = {"project": "own"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account"), "owntest", Home.find().tools) as one:
        one.configure(scaleway=OWN)
        one.up()
        yield one


def test_everything_is_in_the_project_that_was_made(made: Account) -> None:
    own = made.only("project")["id"]
    assert made.only("project")["name"] == "labelspace-owntest"
    kinds = (
        "instance_server",
        "instance_ip",
        "instance_security_group",
        "instance",
        "secret",
        "private_network",
    )
    assert {made.only(kind).get("project_id", made.only(kind).get("project")) for kind in kinds} == {own}
    assert {one["project_id"] for one in made.cloud.all("volume").values()} == {own}
    assert {one["_project"] for one in made.cloud.all("bucket").values()} == {own}
    assert made.outputs()["project"] == own != UUID


def test_the_servers_rights_end_at_the_project(made: Account) -> None:
    own = made.only("project")["id"]
    assert [rule["project_ids"] for rule in made.only("policy")["_rules"]] == [[own], [own]]
    assert made.only("access_key")["default_project_id"] == own


def test_the_backup_buckets_name_is_that_of_the_shared_project(made: Account) -> None:
    """It is known before the project is."""
    assert set(made.cloud.all("bucket")) == {"street", f"labelspace-owntest-{UUID[:8]}-backups"}


def test_nothing_changes_once_it_is_made(made: Account) -> None:
    made.pulumi("preview", "--expect-no-changes", "--refresh")


def test_destroy_keeps_the_project_with_what_is_left_in_it(made: Account) -> None:
    made.pulumi("destroy", "--yes", "--skip-preview")
    left = {kind: len(items) for kind, items in made.cloud.kinds.items() if items}
    assert left == {"bucket": 2, "volume": 1, "project": 1}


def test_the_project_and_its_buckets_are_taken_up_again(made: Account) -> None:
    own, volume = made.only("project")["id"], made.only("volume")["id"]
    made.configure(
        buckets=[{"name": "street", "adopt": True}],
        scaleway={**OWN, "adopt_project": own, "adopt_backups": True, "adopt_volume": volume},
    )
    made.up()
    assert made.only("project")["id"] == own
    made.pulumi("preview", "--expect-no-changes")
