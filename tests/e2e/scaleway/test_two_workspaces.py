"""Two workspaces of one project and region, on the double of Scaleway's API."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.cloud import Account, account

from labelspace.home import Home


def test_the_second_workspace_has_a_network_of_its_own(tmp_path: Path) -> None:
    with account(tmp_path, "twin-one", Home.find().tools) as first:
        second = Account(first.home, first.address, "twin-two", first.cloud)
        second.pulumi("stack", "init")
        try:
            for one, bucket in ((first, "street"), (second, "meadow")):
                one.configure(buckets=[{"name": bucket}])
                one.up()
            networks = list(first.cloud.all("private_network").values())
            assert len({network["vpc_id"] for network in networks}) == len(networks) == 2
            for one in (second, first):
                one.pulumi("destroy", "--yes", "--skip-preview")
            assert not first.cloud.all("private_network")
            assert not first.cloud.all("vpc")
        finally:
            second.settings.unlink(missing_ok=True)
