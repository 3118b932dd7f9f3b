"""The price table is compared with the prices that the API's double has from recordings."""

from __future__ import annotations

import pytest
from testbed import scaleway_prices
from testbed.scaleway_api.app import running
from testbed.scaleway_api.cloud import Cloud
from testbed.scaleway_api.instance import TYPES

from labelspace.targets.scaleway import prices
from labelspace_ops.targets.scaleway.account import Account

UUID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float | None]]:
    monkeypatch.setitem(prices.SERVERS, "DEV1-L", 30.0)
    with running(Cloud()) as address:
        return scaleway_prices.changes(Account("SCW" + "X" * 17, UUID, UUID, UUID, f"http://{address}"))


def test_a_price_that_changed_is_named_and_one_that_did_not_is_not(
    changed: dict[str, tuple[float, float | None]],
) -> None:
    assert changed["DEV1-L"] == (30.0, 31.27)
    assert changed.keys() - {"DEV1-L"} == prices.SERVERS.keys() - TYPES.keys()
    assert changed["PRO2-M"] == (326.13, None)


def test_the_table_gets_the_new_prices_of_what_is_offered(
    changed: dict[str, tuple[float, float | None]],
) -> None:
    table = 'SERVERS = {"DEV1-L": 30.0, "DEV1-XL": 47.51, "PRO2-M": 326.13}'
    assert scaleway_prices.rewritten(table, changed) == table.replace("30.0", "31.27")
