"""What a workspace costs: the table's sums, and types that are not in it."""

from __future__ import annotations

import pytest

from labelspace.spec import ScalewaySpec, SpecError, validate
from labelspace.targets.scaleway import prices


def spec_of(**scaleway: object) -> ScalewaySpec:
    given = {"name": "pets", "target": "scaleway", "buckets": [{"name": "cats"}], "scaleway": scaleway}
    return validate(ScalewaySpec, given)


def test_a_stopped_workspace_pays_everything_but_the_server() -> None:
    spec = spec_of(server_type="DEV1-L", database_type="DB-DEV-S", data_gb=50, database_gb=10)
    running, stopped = prices.total(spec)
    assert running - stopped == pytest.approx(31.27, abs=0.01)
    assert stopped == pytest.approx(11.39 + 10 * 0.0993 + 70 * 0.0861 + 2.92, abs=0.01)


@pytest.mark.parametrize(("field", "cheap"), [("server_type", "DEV1-L"), ("database_type", "DB-DEV-S")])
def test_an_unknown_type_is_refused_with_alternatives(field: str, cheap: str) -> None:
    spec = spec_of(**{field: "START1-XS"})
    with pytest.raises(SpecError, match=f"scaleway.{field}: 'START1-XS' is not offered.*{cheap}"):
        prices.total(spec)


@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_every_size_has_a_price(size: str) -> None:
    spec = spec_of().model_copy(update={"size": size})
    assert prices.total(spec)[0] > 0


def test_a_database_on_the_server_costs_nothing_of_its_own() -> None:
    managed, own = (prices.total(spec_of(database=kind)) for kind in ("managed", "server"))
    assert managed[1] - own[1] == pytest.approx(17.01 + 10 * 0.0993, abs=0.01)
    assert not any(
        part.name.startswith("database") for part in prices.monthly_cost(spec_of(database="server"))
    )
