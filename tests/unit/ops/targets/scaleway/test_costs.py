"""The cost of a workspace is the same sum of its parts wherever it is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway import prices
from labelspace_ops.backup.models import UNKNOWN
from labelspace_ops.console import widgets
from labelspace_ops.console.pages import costs as costs_page
from labelspace_ops.targets import registry
from labelspace_ops.targets.scaleway import lifecycle, retained
from labelspace_ops.targets.status import Status

BASE: dict[str, Any] = {"name": "pets", "target": "scaleway", "buckets": [{"name": "cats"}]}
SPECS: dict[str, dict[str, Any]] = {
    "default": {},
    "medium": {"size": "medium"},
    "large, long retention": {"size": "large", "backup": {"retention_days": 33}},
    "database on the server": {"scaleway": {"database": "server"}},
    "other sizes": {"scaleway": {"data_gb": 77, "database_gb": 35, "server_type": "PRO2-XXS"}},
    "stopped": {"running": False, "size": "medium", "scaleway": {"database_type": "DB-PRO2-XXS"}},
}
every_spec = pytest.mark.parametrize("given", SPECS.values(), ids=SPECS)
AMOUNT = r"\d+\.\d\d"


def spec_of(given: dict[str, Any]) -> ScalewaySpec:
    return validate(ScalewaySpec, {**BASE, **given})


def cents(text: str | float) -> int:
    return round(float(text) * 100)


def sums(spec: ScalewaySpec) -> tuple[int, int]:
    """Cents a month of the table's parts, running and stopped."""
    parts = prices.monthly_cost(spec)
    return sum(cents(part.running) for part in parts), sum(cents(part.stopped) for part in parts)


def totals(text: str) -> tuple[int, ...]:
    return tuple(cents(amount) for amount in re.findall(AMOUNT, text)[:2])


@every_spec
def test_the_preview_shows_the_sum_of_the_parts_that_it_lists(given: dict[str, Any]) -> None:
    spec = spec_of(given)
    note, *_ = registry.get("scaleway").preview_notes(spec, new=True)
    assert totals(note) == sums(spec)
    listed = re.search(r"\((.*); objects on top\)", note)
    assert listed
    assert sum(map(cents, re.findall(rf" ({AMOUNT})(?:,|$)", listed[1]))) == totals(note)[0]


@every_spec
def test_an_update_shows_what_the_preview_shows(given: dict[str, Any]) -> None:
    spec = spec_of(given)
    (notice,) = lifecycle._notices(spec, spec)
    assert notice == f"  costs {registry.get('scaleway').cost(spec)}"


def test_an_update_counts_the_volume_that_it_takes_over() -> None:
    requested = spec_of({})
    complete = retained.with_settings(requested, adopt_volume="1", data_gb=200)
    assert totals(lifecycle._notices(requested, complete)[0]) == sums(complete) != sums(requested)


@every_spec
def test_status_shows_the_sum_of_the_parts_that_it_lists(given: dict[str, Any]) -> None:
    spec = spec_of(given)
    outputs = {"cost": json.loads(json.dumps(prices.cost_output(spec)))}
    status = Status.measured(
        "pets", "scaleway", outputs, UNKNOWN, status="ready", buckets=[], checks=[], cost=outputs["cost"]
    )
    cost = json.loads(status.model_dump_json())["cost"]
    shown = cents(cost["eur_per_month_running"]), cents(cost["eur_per_month_stopped"])
    assert shown == sums(spec)
    assert sum(map(cents, cost["parts"].values())) == shown[0]
    assert len(cost["parts"]) == len(prices.monthly_cost(spec)), "two parts of one name hide one of them"


@every_spec
def test_the_console_shows_the_same_sums(given: dict[str, Any], tmp_path: Path) -> None:
    spec = spec_of(given)
    outputs: dict[str, Any] = {"target": "scaleway", "cost": prices.cost_output(spec)}
    price, *_ = costs_page._cells("pets", outputs, Home(tmp_path))
    assert totals(price) == sums(spec)
    assert price == widgets.price(outputs["cost"])
