"""Volumes and backups that are gone: found by the stack, also where no backup tells of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace.spec import Settings, WorkspaceSpec, parse_spec
from labelspace_ops.backup import agent, import_backup, retained
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


BUCKET = {"name": "copies", "endpoint": "https://s3.example.org", "access_key": "a", "secret_key": "b"}


def _record_tells(monkeypatch: pytest.MonkeyPatch, lost_backups: str) -> list[str]:
    """Let the program answer what an empty bucket held; returns the restic repositories it is asked for."""
    asked = list[str]()

    def run(_: Any, source: agent.Repository, verb: str, *, writes_volumes: bool) -> dict[str, Any]:
        assert (verb, writes_volumes) == ("standing", True)
        asked.append(source.where)
        return {"interrupted": False, "data": True, "identities": {}, "lost_backups": lost_backups}

    monkeypatch.setattr(agent, "run", run)
    monkeypatch.setattr(agent, "encryption_key", lambda *_: "key")
    return asked


def test_backups_that_move_into_a_bucket_leave_no_folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _record_tells(monkeypatch, "")
    engine: Any = _Engine("database", "data", "keys")
    import_backup._check_lost(engine, _spec(backup={"bucket": BUCKET}), home, "")
    assert asked == ["s3://copies/labelspace/pets"]


def test_an_emptied_bucket_does_not_pass_for_the_backups(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _record_tells(monkeypatch, "the backups in it are gone: `labelspace backups pets --accept X`")
    text = _refused(home, "database", "data", "keys", backup={"bucket": BUCKET})
    assert text == "pets: the backups in it are gone: `labelspace backups pets --accept X`"
    engine: Any = _Engine("database", "data", "keys")
    import_backup._check_lost(engine, _spec(backup={"bucket": BUCKET}), home, "s3://copies/labelspace/pets")
    assert len(asked) == 1, "a bucket with backups costs no container"


def test_volumes_and_an_emptied_bucket_that_are_gone_together_are_not_begun_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "s3://copies/labelspace/pets"
    monkeypatch.setattr(state, "outputs", lambda *_: {"backups": {"where": where}})
    text = _refused(home, "data", "keys", backup={"bucket": BUCKET})
    assert f"the volume database is gone, and so are its backups in {where}: bring them back" in text
    assert "`labelspace delete pets --purge`" in text


class _Services:
    """A runtime with or without a running database."""

    workspace = "pets"

    def __init__(self, *, running: bool) -> None:
        self._running = running

    def services(self) -> dict[str, Any]:
        return {"database": SimpleNamespace(running=self._running)}


@pytest.mark.parametrize(("running", "verb"), [(True, "accept"), (False, "accept-loss")])
def test_a_loss_is_accepted_whether_the_workspace_runs_or_not(
    monkeypatch: pytest.MonkeyPatch, running: bool, verb: str
) -> None:
    asked = list[tuple[str, Any]]()
    monkeypatch.setattr(agent, "call", lambda _, verb, **given: asked.append((verb, given["backup"])))
    monkeypatch.setattr(agent, "run", lambda *words, **given: asked.append((words[2], given["backup"])))
    runtime: Any = _Services(running=running)
    agent.accept(runtime, agent.Repository("pets", "/backups", _spec().backup, "key"), "id")
    assert asked == [(verb, "id")]


def test_a_cache_may_be_lost(home: Home) -> None:
    (home.backups / "pets" / "database").mkdir(parents=True)
    engine: Any = _Engine("database", "data", "keys")
    assert retained.lost_volumes(engine, home) == []
