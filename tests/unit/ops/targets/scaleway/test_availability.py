"""A server that starts needs stock, and so does one that is created; one that runs does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud

from labelspace.spec import ScalewaySpec, validate
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.scaleway import availability, retained
from labelspace_ops.targets.scaleway.account import Account

UUID = "11111111-1111-4111-8111-111111111111"
SPEC = validate(
    ScalewaySpec, {"name": "pets", "buckets": [{"name": "cats"}], "scaleway": {"database": "server"}}
)


@pytest.fixture
def sold_out() -> Iterator[Account]:
    """An account where the workspace's type is sold out."""
    with running(Cloud(sold_out={"DEV1-L"})) as address:
        yield Account("SCWAAAAAAAAAAAAAAAAA", UUID, UUID, UUID, f"http://{address}")


def stack(*, runs: bool) -> list[Resource]:
    outputs = {"running": runs}
    return [
        Resource("pulumi:pulumi:Stack", outputs=outputs),
        Resource(retained.SERVER, "fr-par-1/x", outputs={"type": "DEV1-L"}),
    ]


def test_a_server_that_runs_needs_no_stock(sold_out: Account) -> None:
    availability.check(sold_out, SPEC, stack(runs=True))


def test_a_stopped_server_stays_stopped_without_stock(sold_out: Account) -> None:
    availability.check(sold_out, SPEC.model_copy(update={"running": False}), stack(runs=False))


@pytest.mark.parametrize("resources", [[], stack(runs=False)], ids=["new", "stopped"])
def test_a_server_that_would_start_is_refused_with_other_types(
    sold_out: Account, resources: list[Resource]
) -> None:
    with pytest.raises(UsageError, match=r"'DEV1-L' is sold out.*PLAY2-MICRO \(40 EUR a month\)"):
        availability.check(sold_out, SPEC, resources)
