"""What a restore decides before it touches anything, and when backups are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labelspace_ops.backup.models import BackupRow, Measured, Proof, Schedule
from labelspace_ops.backup.restore_plan import make_plan
from labelspace_ops.backup.status import to_checks
from labelspace_ops.core.errors import UsageError

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _row(hours_ago: int, *, complete: bool = True, **changed: Any) -> BackupRow:
    when = (NOW - timedelta(hours=hours_ago)).isoformat()
    fields = {
        "id": f"id-{hours_ago}", "when": when, "kind": "incr", "size": 1, "added": 1, "complete": complete,
        "timeline": 1, "rows": 3, "files": complete, "latest": {}, "proof": None,
    }  # fmt: skip
    return BackupRow(**{**fields, **changed})


ROWS = [_row(30), _row(20), _row(10), _row(1, complete=False)]


def test_a_time_starts_from_the_newest_backup_before_it() -> None:
    planned = make_plan(ROWS, (NOW - timedelta(hours=5)).isoformat(), "", NOW)
    assert planned.backup == planned.files == "id-10"
    assert planned.target[:2] == ["--type=time", "--target=2026-11-24 07:00:00+00:00"]


def test_a_backup_means_its_restore_point_and_nothing_means_all() -> None:
    assert "--target=labelspace-id-20" in make_plan(ROWS, "", "id-20", NOW).target
    assert make_plan(ROWS, "", "", NOW).target == ["--type=default", "--target-timeline=current"]
    assert make_plan(ROWS, "", "", NOW).backup == "id-10"


def test_a_time_in_a_lost_range_is_refused_with_what_can_be_restored() -> None:
    lost_from = (NOW - timedelta(hours=15)).isoformat()
    rows = [_row(30), _row(20), _row(10, lost_from=lost_from)]
    with pytest.raises(UsageError, match=r"restore NAME --to .* or .*--backup id-10"):
        make_plan(rows, (NOW - timedelta(hours=12)).isoformat(), "", NOW)
    assert make_plan(rows, (NOW - timedelta(hours=16)).isoformat(), "", NOW).backup == "id-20"
    assert make_plan(rows, (NOW - timedelta(hours=5)).isoformat(), "", NOW).backup == "id-10"


def test_the_newest_is_of_the_newest_timeline() -> None:
    rows = [_row(9), _row(5, timeline=2), _row(4)]
    assert make_plan(rows, "", "", NOW).backup == "id-5"


def test_the_newest_files_are_those_of_a_backup_that_lost_none() -> None:
    rows = [_row(9), _row(5, shrunk="volume data holds 0 files"), _row(4, files=False)]
    planned = make_plan(rows, "", "", NOW)
    assert (planned.backup, planned.files) == ("id-4", "id-9")
    planned = make_plan(rows, (NOW - timedelta(hours=4.5)).isoformat(), "", NOW)
    assert (planned.backup, planned.files) == ("id-5", "id-9")
    assert make_plan(rows, "", "id-5", NOW).files == "id-5", "what is named is taken"
    assert make_plan(rows[1:], "", "", NOW).files == "id-5", "fewer files are better than none"
    assert make_plan(rows[2:], "", "", NOW).files == ""


@pytest.mark.parametrize(
    ("to", "backup", "words"),
    [
        ("2026-11-25T00:00:00Z", "", "in the future"),
        ("2026-11-20T00:00:00Z", "", "before the oldest backup"),
        ("yesterday", "", "is no time"),
        ("", "id-7", "is not there"),
        ("", "id-1", "was interrupted"),
        ("2026-11-24T07:00:00Z", "id-20", "give one of them"),
    ],
)
def test_what_cannot_be_restored_is_refused(to: str, backup: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(ROWS, to, backup, NOW)


FAILED = Proof(backup="id-5", when=NOW.isoformat(), ok=False, reason="rows differ", seconds=1)


def _state(**changed: Any) -> Measured:
    schedule = Schedule(interval_hours=6, drill_interval_days=7)
    calm = {"backups": [_row(5)], "problems": [], "now": NOW.timestamp(), "drill": None, "schedule": schedule}
    return Measured(**{**calm, **changed})


def test_backups_on_schedule_give_no_reason() -> None:
    assert to_checks("street", _state()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"backups": [_row(10)]}, "the last is 10 h old"),
        ({"backups": []}, "no complete backup"),
        (
            {"backups": [_row(5, shrunk="volume data")]},
            "labelspace backups street --accept id-5",
        ),
        ({"backups": [_row(1, complete=False)]}, "no complete backup"),
        ({"archive_fails": True, "waiting_seconds": 90}, "changes are not archived"),
        ({"drill": FAILED}, "rows differ"),
        ({"backups": [_row(24 * 12), _row(5)]}, "the last is 12 days old"),
    ],
)
def test_what_is_late_or_fails_is_a_reason(changed: dict[str, Any], words: str) -> None:
    assert words in " ".join(reason.detail for reason in to_checks("street", _state(**changed)))


def test_a_dump_is_restored_as_it_is() -> None:
    """It holds one moment: there is no archive of changes after it."""
    days = ("2026-11-23", "2026-11-24")
    dumps = [_row(0, kind="dump", timeline=0, id=day, when=f"{day}T10:00:00+00:00") for day in days]
    now = datetime(2026, 11, 25, tzinfo=UTC)
    for to, backup, chosen in (
        ("", "", "2026-11-24"), ("2026-11-24T09:00:00Z", "", "2026-11-23"), ("", "2026-11-23", "2026-11-23"),
    ):  # fmt: skip
        plan = make_plan(dumps, to, backup, now)
        assert (plan.backup, plan.target, plan.files, plan.moment) == (chosen, [], chosen, f"backup {chosen}")
