"""The disk that the end-to-end tests need."""

from __future__ import annotations

import pytest
from testbed import disk

GIB = 2**30


@pytest.mark.parametrize(("percent", "free"), [(0, 15 * GIB), (61, 37 * GIB), (50, 200 * GIB)])
def test_enough_is_enough(percent: float, free: int) -> None:
    assert disk.shortage(percent, free) == ""


@pytest.mark.parametrize(("percent", "free", "more"), [(0, 14 * GIB, "1.0"), (90, 100 * GIB, "30.0")])
def test_the_missing_space_is_named(percent: float, free: int, more: str) -> None:
    assert f"free {more} GiB" in disk.shortage(percent, free)


def test_a_disk_on_which_create_refused_in_mid_run_is_refused_before() -> None:
    assert "so that at most 88 % are used" in disk.shortage(85, 15 * GIB)
