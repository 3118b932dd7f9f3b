"""What is decided of backups and versions without an engine."""

from __future__ import annotations

import pytest

from labelspace.cvat_lines import Drops
from labelspace_ops.backup import upgrade_test
from labelspace_ops.core.errors import OpsError

KNOWN = {"engine.0001_initial", "engine.0002_more", "iam.0001_initial"}


@pytest.mark.parametrize(
    ("counted", "lost"),
    [
        ({"a": 3, "b": 0, "new": 7}, ""),
        ({"a": 5, "b": 1}, ""),
        ({"a": 2, "b": 0}, "a: 2 instead of 3"),
        ({"b": 0}, "a: the table is gone instead of 3"),
        ({"a": 3}, ""),
    ],
)
def test_fewer_rows_are_a_loss(counted: dict[str, int], lost: str) -> None:
    seen = upgrade_test.Counts(counted, {"a": 3, "b": 0})
    if not lost:
        return upgrade_test._check_rows(seen, Drops())
    with pytest.raises(OpsError, match=lost):
        upgrade_test._check_rows(seen, Drops())
    return None


@pytest.mark.parametrize(
    ("latest", "unknown", "later"),
    [
        ({"engine": "0002_more", "iam": "0001_initial"}, [], False),
        ({"engine": "0001_initial", "iam": "0001_initial"}, [], True),
        ({"engine": "0003_newest", "iam": "0001_initial"}, ["engine.0003_newest"], False),
        ({"engine": "0002_more"}, [], True),
        ({"engine": "0002_more", "iam": "0001_initial", "dropped": "0009_x"}, [], False),
    ],
)
def test_a_database_is_of_this_of_an_earlier_or_of_a_later_cvat(
    latest: dict[str, str], unknown: list[str], later: bool
) -> None:
    assert upgrade_test.unknown_migrations(latest, KNOWN) == unknown
    assert upgrade_test.later_migrations(latest, KNOWN) == later
