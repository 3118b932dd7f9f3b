"""The recovery kit: written once for its owner alone, and imported on another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.backup import recovery_kit
from labelspace_ops.core.errors import UsageError


def test_a_kit_brings_the_keys_to_another_machine(tmp_path: Path) -> None:
    here, there = Home(tmp_path / "here"), Home(tmp_path / "there")
    key = here.made_backup_key("street")
    assert here.made_backup_key("street") == key
    assert here.backup_key("street").stat().st_mode & 0o777 == 0o600
    file = tmp_path / "kit"
    assert recovery_kit.export_kit(here, file) == ["backup-street"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert recovery_kit.import_kit(there, file) == {"backup-street": "new"}
    assert there.made_backup_key("street") == key
    assert recovery_kit.import_kit(there, file) == {"backup-street": "same"}


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    here, there = Home(tmp_path / "here"), Home(tmp_path / "there")
    here.made_backup_key("street")
    mine = there.made_backup_key("street")
    recovery_kit.export_kit(here, tmp_path / "kit")
    assert recovery_kit.import_kit(there, tmp_path / "kit") == {"backup-street": "differs"}
    assert there.made_backup_key("street") == mine
    with pytest.raises(UsageError, match="is there already"):
        recovery_kit.export_kit(here, tmp_path / "kit")


def test_something_else_is_no_kit(tmp_path: Path) -> None:
    (tmp_path / "kit").write_text('{"format": 1, "keys": {"../evil": "x"}}')
    with pytest.raises(UsageError, match="none of a key"):
        recovery_kit.import_kit(Home(tmp_path), tmp_path / "kit")
    (tmp_path / "kit").write_text("hello")
    with pytest.raises(UsageError, match="no recovery kit"):
        recovery_kit.import_kit(Home(tmp_path), tmp_path / "kit")
