"""The disk that the end-to-end tests need."""

from __future__ import annotations

import pytest
from testbed import disk

GIB = 2**30


@pytest.mark.parametrize(("used", "free"), [(0, 15), (58, 37), (200, 200)])
def test_enough_is_enough(used: int, free: int) -> None:
    assert disk.shortage(used * GIB, free * GIB) == ""


@pytest.mark.parametrize(("used", "free", "more"), [(0, 14, "1.0"), (900, 100, "30.0"), (100, 0, "22.0")])
def test_the_missing_space_is_named(used: int, free: int, more: str) -> None:
    assert f"free {more} GiB" in disk.shortage(used * GIB, free * GIB)


def test_a_disk_on_which_create_refused_in_mid_run_is_refused_before() -> None:
    assert "so that at most 88 % are used" in disk.shortage(85 * GIB, 15 * GIB)
