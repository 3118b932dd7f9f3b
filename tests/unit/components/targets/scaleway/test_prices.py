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
    snapshots = 7 * 10 * prices.SNAPSHOT_GB
    storage = 10 * 0.0993 + 70 * 0.0861
    assert stopped == pytest.approx(11.39 + storage + snapshots + 2.92 + prices.SECRET_VERSION, abs=0.01)


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
    assert managed[1] - own[1] == pytest.approx(11.39 + 10 * 0.0993 + 70 * prices.SNAPSHOT_GB, abs=0.02)
    assert not any(
        part.name.startswith("database") for part in prices.monthly_cost(spec_of(database="server"))
    )


@pytest.mark.parametrize(
    ("size", "equal"),
    [
        ("small", ("PLAY2-MICRO", "BASIC3-X4C-8G", "DEV1-XL")),
        ("medium", ("PRO2-XS", "POP2-4C-16G", "BASIC3-X4C-16G", "STANDARD3-X4C-16G")),
        ("large", ("PRO2-S", "POP2-8C-32G", "BASIC3-X8C-32G")),
    ],
)
def test_the_default_server_is_the_cheapest_of_its_size(size: str, equal: tuple[str, ...]) -> None:
    default = prices.SERVERS[prices.BY_SIZE[size][0]]
    assert all(default <= prices.SERVERS[name] for name in equal)


def test_longer_retention_costs_more_snapshots() -> None:
    given = {"name": "pets", "buckets": [{"name": "cats"}]}
    short, long = (
        prices.total(validate(ScalewaySpec, {**given, "backup": {"retention_days": days}}))[0]
        for days in (7, 37)
    )
    assert long - short == pytest.approx(30 * 10 * prices.SNAPSHOT_GB, abs=0.02)
