"""The plan of an upgrade of CVAT, as ``labelspace upgrade --plan`` prints it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace.spec import DEFAULT_CVAT
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack import state
from labelspace_ops.workspaces import upgrade


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Home:
    """A home with a workspace at the first line."""
    monkeypatch.setattr(state, "require_outputs", lambda name, home: {"cvat_version": "2.73.0"})
    return Home(tmp_path)


def test_an_upgrade_over_lines_names_what_is_new_and_dropped(home: Home) -> None:
    planned = upgrade.plan("pets", "v2.76.0", home)
    assert (planned.version, planned.to, planned.way) == ("2.73.0", "2.76.0", ["2.76.0"])
    assert (planned.state, planned.needs_permission, planned.untested) == ("read", True, "2.80.0")
    assert [text.split(":")[0] for text in planned.news] == ["2.74"] * 3 + ["2.75"] * 2 + ["2.76"] * 2
    assert len(planned.drops) == 17
    said = "\n".join(upgrade.to_lines(planned))
    assert "pets: CVAT 2.73.0 -> 2.76.0" in said
    assert "dropped  quality_control_qualitysettings.iou_threshold" in said
    assert "by a restore of that backup" in said


def test_without_a_version_it_goes_to_the_newest_tested_one(home: Home) -> None:
    planned = upgrade.plan("pets", "", home)
    assert (planned.to, planned.way) == (DEFAULT_CVAT, [])
    assert upgrade.to_lines(planned) == [
        "pets: CVAT 2.73.0 is the newest tested version; newer, but untested: 2.80.0"
    ]


@pytest.mark.parametrize(
    ("version", "reason"), [("2.60.0", "supported: 2.73.0"), ("newest", "supported: 2.73.0")]
)
def test_what_is_no_later_version_is_refused(home: Home, version: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        upgrade.plan("pets", version, home)


def test_a_plan_has_no_next_step_where_there_is_nothing_to_do(home: Home) -> None:
    assert upgrade.plan("pets", "2.73.0", home).way == []


def test_going_back_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(state, "require_outputs", lambda name, home: {"cvat_version": "2.76.0"})
    with pytest.raises(UsageError, match="going back is a restore"):
        upgrade.plan("pets", "2.73.0", Home(tmp_path))
