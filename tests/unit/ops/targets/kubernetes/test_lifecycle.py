"""Stopping and deleting a workspace in a cluster, whatever its settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from tests.unit.components.targets.kubernetes.test_deploy import SETTINGS

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack import automation
from labelspace_ops.targets.kubernetes import lifecycle

REFUSED = {**SETTINGS, "kubernetes": {**SETTINGS["kubernetes"], "data_gb": 0}}


@pytest.fixture
def selected(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A stack whose settings are refused, as after limits became stricter."""
    _settings(monkeypatch, REFUSED)
    stack = Mock()
    stack.name = "pets"
    return stack


def _settings(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]) -> None:
    monkeypatch.setattr(automation, "read_settings", lambda _: values)


@pytest.mark.parametrize("purge", [True, False])
def test_nothing_is_deleted_while_the_settings_are_refused(
    purge: bool, selected: Mock, tmp_path: Path
) -> None:
    """The workloads went without a last backup, and with --purge the volumes stayed."""
    destroy = Mock()
    with pytest.raises(UsageError, match=r"kubernetes\.data_gb: 0 is refused.*`labelspace set pets FIELD="):
        lifecycle.delete(selected, Home(tmp_path), destroy, purge=purge)
    destroy.assert_not_called()


def test_nothing_is_stopped_while_the_settings_are_refused(selected: Mock) -> None:
    with pytest.raises(UsageError, match=r"kubernetes\.data_gb: .*nothing was stopped or removed"):
        lifecycle.before_stop(selected)


def test_a_creation_that_ended_before_its_settings_were_written_is_deleted(
    selected: Mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _settings(monkeypatch, {"name": "pets"})
    destroy = Mock()
    assert lifecycle.before_stop(selected) == ""
    deletion = lifecycle.delete(selected, Home(tmp_path), destroy, purge=False)
    assert deletion.last_backup == ""
    destroy.assert_called_once_with()
