"""Folders of buckets that are gone, or that an unmounted disk left empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.spec import LocalSpec
from labelspace_ops.core.checks import Check
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Result
from labelspace_ops.targets.local import bucket_folders, folders


@pytest.fixture
def home(tmp_path: Path) -> Home:
    for folder in ("home/buckets/kept", "home/gateway/kept", "photos"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.png").write_text("")
    return Home(tmp_path / "home")


@pytest.fixture
def spec(tmp_path: Path) -> LocalSpec:
    buckets = [{"name": "kept"}, {"name": "photos", "path": str(tmp_path / "photos")}]
    return LocalSpec.model_validate({"name": "pets", "buckets": buckets})


def _unmount(folder: Path) -> Path:
    """Put an empty folder in its place; returns where its files are."""
    away = folder.rename(folder.with_name(f"{folder.name}.away"))
    folder.mkdir()
    return away


@pytest.mark.parametrize(("index", "folder"), [(0, "home/buckets/kept"), (1, "photos")])
def test_an_empty_mount_point_is_refused_until_the_files_are_back(
    home: Home, spec: LocalSpec, tmp_path: Path, index: int, folder: str
) -> None:
    bucket_folders.record_all(spec, home)
    bucket_folders.check(spec, home)
    away = _unmount(tmp_path / folder)
    bucket_folders.record_all(spec, home)  # a stop does not forget
    with pytest.raises(OpsError) as refused:
        bucket_folders.check(spec, home)
    assert str(refused.value).startswith(
        f"buckets.{index}: {tmp_path / folder} is another folder than before"
    )
    (tmp_path / folder).rmdir()
    away.rename(tmp_path / folder)
    bucket_folders.check(spec, home)


def test_a_file_in_the_new_folder_begins_anew(home: Home, spec: LocalSpec, tmp_path: Path) -> None:
    bucket_folders.record_all(spec, home)
    _unmount(tmp_path / "photos")
    (tmp_path / "photos" / "empty.txt").touch()
    bucket_folders.check(spec, home)


def test_a_folder_that_somebody_emptied_is_taken(home: Home, spec: LocalSpec, tmp_path: Path) -> None:
    bucket_folders.record_all(spec, home)
    (tmp_path / "photos" / "a.png").unlink()
    bucket_folders.check(spec, home)
    assert not bucket_folders.emptied_folders("pets", home)
    bucket_folders.record_all(spec, home)
    _unmount(tmp_path / "photos")
    bucket_folders.check(spec, home)


def test_without_a_record_nothing_is_refused(home: Home, spec: LocalSpec, tmp_path: Path) -> None:
    bucket_folders.record_all(spec, home)
    _unmount(tmp_path / "photos")
    bucket_folders.forget("pets", home)
    bucket_folders.check(spec, home)


@pytest.mark.parametrize("torn", ["", "{"])
def test_a_record_that_a_power_cut_tore_is_none(home: Home, spec: LocalSpec, torn: str) -> None:
    bucket_folders.record_all(spec, home)
    (home.filled_folders / "pets.json").write_text(torn)
    bucket_folders.check(spec, home)


def test_a_folder_that_is_gone_is_refused_with_the_command_that_makes_one(
    home: Home, spec: LocalSpec, tmp_path: Path
) -> None:
    (home.buckets / "kept").rename(tmp_path / "away")
    with pytest.raises(OpsError, match=f"`mkdir {home.buckets / 'kept'}`"):
        bucket_folders.check(spec, home)


def test_the_way_to_begin_with_an_empty_folder_leads_to_a_start(
    home: Home, spec: LocalSpec, tmp_path: Path
) -> None:
    bucket_folders.record_all(spec, home)
    folder = home.buckets / "kept"
    folder.rename(tmp_path / "away")
    with pytest.raises(OpsError, match=f"`mkdir {folder}` and `touch {folder}/empty.txt`"):
        bucket_folders.check(spec, home)
    folder.mkdir()
    (folder / "empty.txt").touch()
    bucket_folders.check(spec, home)


def test_a_record_that_cannot_be_written_fails_no_command(home: Home, spec: LocalSpec) -> None:
    home.filled_folders.write_text("a file where the folder should be")
    bucket_folders.record_all(spec, home)
    bucket_folders.check(spec, home)


class Engine:
    """A runtime whose gateway sees the folders as they are; it started after the disk was unmounted."""

    workspace = "pets"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def services(self) -> dict[str, Any]:
        return {"gateway": type("Service", (), {"running": True})()}

    def execute(self, *_: Any, **__: Any) -> Result:
        return Result(0, str(self.folder.stat().st_ino))


def _measured(engine: Any, folder: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    monkeypatch.setattr(folders, "read_output", engine.execute)
    return folders.measure({"buckets": [{"name": "photos", "path": str(folder)}]}, engine, home)


def test_status_records_what_was_uploaded_since_the_start(
    home: Home, spec: LocalSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    assert not _measured(Engine(photos), photos, home, monkeypatch)
    _unmount(photos)
    with pytest.raises(OpsError, match="another folder than before"):
        bucket_folders.check(spec, home)


def test_status_names_a_mount_point_over_which_the_engine_started(
    home: Home, spec: LocalSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket_folders.record_all(spec, home)
    _unmount(tmp_path / "photos")
    (check,) = _measured(Engine(tmp_path / "photos"), tmp_path / "photos", home, monkeypatch)
    assert check.name == "bucket photos"
    assert "another one than before, and empty (is a disk not mounted?)" in check.detail
