"""The double refuses the private networks that Scaleway refuses."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud

PROJECT = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def region() -> Iterator[httpx.Client]:
    """The double's API of networks in one region."""
    with running(Cloud()) as address:
        base = f"http://{address}/vpc/v2/regions/fr-par"
        with httpx.Client(base_url=base, headers={"X-Auth-Token": PROJECT}) as client:
            yield client


def made(region: httpx.Client, subnet: str = "", vpc: str = "") -> httpx.Response:
    body = {
        "name": "n",
        "project_id": PROJECT,
        "subnets": [subnet] if subnet else None,
        "vpc_id": vpc or None,
    }
    return region.post("/private-networks", json=body)


def new_vpc(region: httpx.Client) -> str:
    return str(region.post("/vpcs", json={"name": "v", "project_id": PROJECT}).json()["id"])


def test_networks_of_the_default_vpc_may_not_overlap(region: httpx.Client) -> None:
    assert made(region, "10.37.0.0/24").status_code == 200
    refused = made(region, "10.37.0.128/25")
    assert refused.status_code == 412
    assert refused.json()["precondition"] == "subnet_overlaps_in_project"


def test_networks_of_two_vpcs_may_overlap(region: httpx.Client) -> None:
    for _ in range(2):
        assert made(region, "10.37.0.0/24", new_vpc(region)).status_code == 200


@pytest.mark.parametrize("subnet", ["10.0.0.0/16", "10.0.0.0/19", "10.0.0.0/30"])
def test_a_prefix_is_of_20_to_29_bits(region: httpx.Client, subnet: str) -> None:
    refused = made(region, subnet)
    assert refused.status_code == 400
    assert refused.json()["details"][0]["help_message"] == 'prefix: {"max": 20, "min": 29}'


def test_scaleways_own_ranges_are_refused(region: httpx.Client) -> None:
    assert made(region, "100.64.0.0/24").status_code == 400


def test_networks_without_a_subnet_get_free_ones(region: httpx.Client) -> None:
    vpc = new_vpc(region)
    first, second = (made(region, vpc=vpc).json()["subnets"][0]["subnet"] for _ in range(2))
    assert (first, second) == ("172.17.32.0/22", "172.17.36.0/22")


def test_a_vpc_with_a_network_is_not_deleted(region: httpx.Client) -> None:
    vpc = new_vpc(region)
    network = made(region, vpc=vpc).json()["id"]
    assert region.delete(f"/vpcs/{vpc}").status_code == 412
    assert region.delete(f"/private-networks/{network}").status_code == 204
    assert region.delete(f"/vpcs/{vpc}").status_code == 204
