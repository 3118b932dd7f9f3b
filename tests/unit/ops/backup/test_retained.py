"""Volumes and backups that are gone: found by the stack, also where no backup tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace.spec import Settings, WorkspaceSpec, parse_spec
from labelspace_ops.backup import import_backup, retained
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.stack.state import STACK, Resource


class _Engine:
    """A runtime that has some volumes."""

    workspace = "pets"

    def __init__(self, *volumes: str) -> None:
        self._volumes = set(volumes)

    def volumes(self) -> set[str]:
        return self._volumes


def _volume(part: str) -> Resource:
    labels = [{"label": PART_LABEL, "value": part}, {"label": WORKSPACE_LABEL, "value": "pets"}]
    return Resource(retained.VOLUME, outputs={"labels": labels})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a workspace whose stack has all volumes."""
    home = Home(tmp_path)
    stack = Resource(STACK, outputs={"backups": {"where": str(home.backups / "pets")}})
    resources = [stack, *map(_volume, ("database", "data", "keys", "redis"))]
    monkeypatch.setattr(state, "names", lambda _: ["pets"])
    monkeypatch.setattr(state, "resources", lambda *_: resources)
    return home


def _spec(**more: Any) -> WorkspaceSpec:
    values: Settings = {"name": "pets", "buckets": [{"name": "cats"}], **more}
    return parse_spec(values)


def _refused(home: Home, *volumes: str, **settings: Any) -> str:
    engine: Any = _Engine(*volumes)
    with pytest.raises(OpsError) as raised:
        import_backup._check_lost(engine, _spec(**settings), home, "")
    return str(raised.value)


def test_volumes_and_backups_that_are_gone_together_are_not_begun_again(home: Home) -> None:
    text = _refused(home, "redis")
    assert "the volumes database, data, keys are gone, and so are its backups" in text
    assert "`labelspace restore pets`" in text
    assert "`labelspace delete pets --purge`" in text


def test_a_volume_is_brought_back_from_the_backups_that_are_there(home: Home) -> None:
    (home.backups / "pets" / "database" / "backup").mkdir(parents=True)
    assert _refused(home, "data", "keys") == (
        "pets: the volume database is gone: `labelspace restore pets` brings back what was in it"
    )


@pytest.mark.parametrize("is_mount_point", [False, True])
def test_an_empty_folder_does_not_pass_for_the_backups(home: Home, is_mount_point: bool) -> None:
    folder = home.backups / "pets"
    if is_mount_point:
        folder.mkdir(parents=True)
    text = _refused(home, "database", "data", "keys")
    assert f"its backups in {folder} are gone: bring that folder back" in text
    (folder / "database").mkdir(parents=True)
    engine: Any = _Engine("database", "data", "keys")
    import_backup._check_lost(engine, _spec(), home, "")


def test_backups_that_move_into_a_bucket_leave_no_folder(home: Home) -> None:
    bucket = {"name": "copies", "endpoint": "https://s3.example.org", "access_key": "a", "secret_key": "b"}
    engine: Any = _Engine("database", "data", "keys")
    import_backup._check_lost(engine, _spec(backup={"bucket": bucket}), home, "")


def test_a_cache_may_be_lost(home: Home) -> None:
    (home.backups / "pets" / "database").mkdir(parents=True)
    engine: Any = _Engine("database", "data", "keys")
    assert retained.lost_volumes(engine, home) == []
