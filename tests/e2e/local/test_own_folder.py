"""A workspace that reads a folder of the user's own, which nothing changes."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.e2e.lab import Lab, admin_of, containers

from labelspace_ops.stack import state
from labelspace_ops.storage.media_files import UNREADABLE

SHUT = "shut.png"
"""An image that its owner alone may read."""
Entry = tuple[str, int, int, int, float]


def _entries(folder: Path) -> list[Entry]:
    """Name, owner, mode and time of change of everything in a folder, and of the folder."""
    paths = sorted([folder, *folder.rglob("*")])
    return [(str(path), (at := path.lstat()).st_uid, at.st_gid, at.st_mode, at.st_ctime) for path in paths]


@pytest.fixture(scope="module")
def images(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images and a text file, owned by somebody else, in a folder whose parents others may pass."""
    folder = tmp_path_factory.mktemp("own") / "images"
    shutil.copytree(dataset, folder)
    shutil.copy(folder / "a.png", folder / SHUT)
    (folder / SHUT).chmod(0o600)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 4321, 4321)
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def before(images: Path) -> list[Entry]:
    return _entries(images)


@pytest.fixture(scope="module")
def gallery(lab: Lab, images: Path, before: list[Entry]) -> Iterator[Any]:
    name = f"g{secrets.token_hex(3)}"
    try:
        yield lab.create(name, "--bucket", "kept", "--bucket", f"photos={images}")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
    assert _entries(images) == before


def test_it_is_under_connected_file_share_and_not_measured(gallery: Any, images: Path) -> None:
    rows = admin_of(gallery).get("/api/server/share?directory=/photos/").json()
    assert {row["name"] for row in rows} == {"a.png", "night shots", "größe", "notes.txt", SHUT}
    kept, photos = gallery["buckets"]
    assert (kept["objects"], kept["path"]) == (0, None)
    assert (photos["objects"], photos["path"]) == (None, str(images))


def test_programs_read_it_and_cannot_write(lab: Lab, gallery: Any, images: Path, before: list[Entry]) -> None:
    keys = state.require_outputs(gallery["name"], lab.home)["bucket_keys"]["photos"]
    s3 = boto3.client(
        "s3", endpoint_url=gallery["buckets"][1]["endpoint"], region_name="us-east-1",
        aws_access_key_id=keys["access_key"], aws_secret_access_key=keys["secret_key"],
        config=Config(retries={"max_attempts": 1}),
    )  # fmt: skip
    assert s3.get_object(Bucket="photos", Key="a.png")["Body"].read() == (images / "a.png").read_bytes()
    with pytest.raises(ClientError):
        s3.put_object(Bucket="photos", Key="new.png", Body=b"x")
    with pytest.raises(ClientError):
        s3.delete_object(Bucket="photos", Key="a.png")
    assert _entries(images) == before


def test_uploads_to_it_are_refused(lab: Lab, gallery: Any, images: Path, dataset: Path) -> None:
    refused = lab.run("upload", gallery["name"], str(dataset), "--bucket", "photos")
    assert refused.returncode == 2
    assert f"bucket: 'photos' is {images}, a folder of yours that labelspace only reads" in refused.stderr


def test_a_task_is_made_of_it(lab: Lab, gallery: Any, images: Path, before: list[Entry]) -> None:
    assert admin_of(gallery).post("/api/projects", {"name": "Own"}).status_code == 201
    made = lab.json("task", "create", gallery["name"], "--project", "Own", "--from", "photos")
    assert (made["images"], made["left_out"]) == (3, {"no image": 1, UNREADABLE: 1})
    assert made["unreadable"] == [SHUT]
    assert _entries(images) == before


def test_files_that_cvat_cannot_read_are_named(lab: Lab, gallery: Any, images: Path, dataset: Path) -> None:
    name = gallery["name"]
    assert [row["unreadable"] for row in gallery["buckets"]] == [0, 1]
    printed = lab.run("status", name)
    assert printed.returncode == 0
    assert f"~ bucket photos: CVAT's user cannot read 1 of its files or folders: {SHUT}" in printed.stdout
    assert f"run `chmod -R a+rX {images}`" in printed.stdout
    shut = lab.home.buckets / "kept" / SHUT
    shut.write_bytes(b"x")
    shut.chmod(0o600)
    done = lab.json("upload", name, str(dataset), "--bucket", "kept")
    assert (done["uploaded"], done["unreadable"]) == (4, [SHUT])
    assert lab.json("status", name)["buckets"][0]["first_unreadable"] == [SHUT]
    warned = lab.run("upload", name, str(dataset), "--bucket", "kept")
    assert f"warning: CVAT's user cannot read {SHUT}: run `chmod -R a+rX`" in warned.stderr
    shut.unlink()


def test_a_preview_without_changes_has_none(lab: Lab, gallery: Any) -> None:
    counts = lab.json("preview", gallery["name"])["counts"]
    assert (counts["create"], counts["update"], counts["replace"], counts["delete"]) == (0, 0, 0, 0)


def test_a_folder_is_added_and_removed(lab: Lab, gallery: Any, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "1.png").write_bytes(b"x")
    name = gallery["name"]
    assert lab.run("set", name, f"buckets+=scans={scans}", "--yes").returncode == 0
    rows = admin_of(gallery).get("/api/server/share?directory=/").json()
    assert {row["name"] for row in rows} == {"kept", "photos", "scans"}
    assert lab.run("set", name, "buckets-=scans", "--yes").returncode == 0
    assert (scans / "1.png").read_bytes() == b"x"


def test_folders_that_cannot_be_buckets_are_refused(lab: Lab, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    for folder, reason in (
        (tmp_path / "nowhere", "cannot be opened (no such file or directory)"),
        (lab.home.root, "is inside"),
        (Path("/"), "contains"),
        (shut, f"CVAT's user cannot open {shut}: let others read it"),
    ):
        done = lab.run("create", "fresh", "--yes", "--bucket", f"photos={folder}")
        assert done.returncode == 2, done.stderr
        assert "buckets.0.path: " in done.stderr
        assert reason in done.stderr
    assert not containers("fresh")


def test_a_folder_that_goes_away_is_named_and_not_made_again(lab: Lab, gallery: Any, images: Path) -> None:
    aside = images.with_name("aside")
    images.rename(aside)
    try:
        checks = lab.json_of_degraded("status", gallery["name"])["checks"]
        assert [check["detail"] for check in checks if check["name"] == "bucket photos"] == [
            f"its folder is gone: bring {images} back, then `labelspace stop {gallery['name']}` and"
            f" `labelspace start {gallery['name']}`"
        ]
        assert lab.run("stop", gallery["name"], "--yes").returncode == 0
        assert "cannot be opened" in lab.run("start", gallery["name"]).stderr
        assert not images.exists()
    finally:
        aside.rename(images)
    assert lab.json("start", gallery["name"])["status"] == "ready"
