"""CVAT's files: a volume that is lost is never replaced by an empty one in silence, and comes back.

The tests of the workspace go one after another through its losses.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from testbed.inside import inside
from tests.e2e.conftest import named_workspace
from tests.e2e.lab import Lab, admin_of, containers, task_of

from labelspace.naming import PART_LABEL, WORKSPACE_LABEL

IDENTITY = "/home/django/{}/.labelspace-identity"
KNOWN = "select obj_description('django_content_type'::regclass, 'pg_class')"


def _in(measured: Any, part: str, *command: str) -> str:
    code, output = inside(containers(measured["name"])[part], list(command))
    assert code == 0, output
    return str(output.decode().strip())


def _sql(measured: Any, text: str) -> str:
    return _in(measured, "database", "psql", "-U", "cvat", "-Atc", text, "cvat")


def _failed(lab: Lab, name: str) -> dict[str, str]:
    """The checks of a status that fail, by name."""
    checks = lab.json_of_degraded("status", name)["checks"]
    return {check["name"]: check["detail"] for check in checks if not check["ok"]}


@pytest.fixture(scope="module")
def media(lab: Lab, dataset: Path) -> Iterator[Any]:
    """A workspace with one task whose images are in CVAT's data volume, as after an upload in the browser."""
    for measured in named_workspace(lab, "--bucket", "street"):
        lab.json("upload", measured["name"], str(dataset), "--bucket", "street")
        task_of(admin_of(measured), "uploaded")
        _sql(measured, "update engine_data set storage = 'local'")
        number = _sql(measured, "select data_id from engine_task limit 1")
        folder = f"/home/django/data/data/{number}/raw"
        for path in _sql(measured, "select path from engine_image").splitlines():
            file = f"{folder}/{path}"
            script = f'mkdir -p "$(dirname "{file}")" && head -c 2000 /dev/urandom >"{file}"'
            _in(measured, "server", "sh", "-ec", script)
        yield {**measured, "folder": folder}


def test_volumes_and_database_hold_one_identity(media: Any) -> None:
    identity = _sql(media, KNOWN)
    assert len(identity) == 32
    for volume in ("data", "keys"):
        assert _in(media, "server", "cat", IDENTITY.format(volume)) == identity


def test_a_drill_compares_the_files_with_what_was_recorded(lab: Lab, media: Any) -> None:
    taken = lab.json("backup", media["name"])
    proof = lab.json("drill", media["name"])
    row = lab.json("backups", media["name"])["backups"][-1]
    assert row["id"] == taken["id"]
    assert proof["files_count"] == row["files_count"] >= 5  # three images and two identities
    assert proof["files_bytes"] == row["files_bytes"] >= 6000
    assert row["shrunk"] == ""


def test_a_backup_without_the_tasks_media_is_not_proven_and_holds_the_others(lab: Lab, media: Any) -> None:
    name = media["name"]
    whole = lab.json("backups", name)["backups"][-1]["id"]
    _in(media, "server", "sh", "-c", f"rm -r {media['folder']}")
    taken = lab.json("backup", name)["id"]
    row = lab.json("backups", name)["backups"][-1]
    assert (row["id"], "volume data holds" in row["shrunk"]) == (taken, True)
    drilled = lab.run("drill", name)
    assert drilled.returncode == 1
    assert "media of tasks are missing" in drilled.stderr
    said = _failed(lab, name)
    assert f"labelspace backups {name} --accept {taken}" in said["files"]
    assert "media of tasks are missing" in said["drill"]

    done = lab.json("restore", name, "--yes")
    assert whole != taken
    assert "3" in _in(media, "server", "sh", "-c", f"find {media['folder']} -type f | wc -l"), done
    assert lab.json("drill", name)["ok"]
    assert lab.until_ready(name)["status"] == "ready"


def test_a_loss_that_somebody_accepts_is_not_said_again(lab: Lab, media: Any) -> None:
    name = media["name"]
    _in(media, "server", "sh", "-c", "head -c 300000 /dev/urandom >/home/django/data/big")
    lab.json("backup", name)
    _in(media, "server", "rm", "/home/django/data/big")
    taken = lab.json("backup", name)["id"]
    assert "files" in _failed(lab, name)
    assert lab.json("backups", name, "--accept", taken)["backups"][-1]["shrunk"] == ""
    assert lab.until_ready(name)["status"] == "ready"


def test_lost_volumes_are_said_and_come_back(lab: Lab, media: Any) -> None:
    name = media["name"]
    lab.json("stop", name)
    for part in ("data", "keys"):
        docker.from_env().volumes.get(f"labelspace-{name}-{part}").remove()
    refused = lab.run("start", name)
    assert refused.returncode == 1
    assert "the volumes data, keys are gone" in refused.stderr
    assert f"`labelspace restore {name}`" in refused.stderr

    for part in ("data", "keys"):
        labels = {WORKSPACE_LABEL: name, PART_LABEL: part}
        docker.from_env().volumes.create(f"labelspace-{name}-{part}", labels=labels)
    refused = lab.run("start", name)
    assert refused.returncode == 1, "empty volumes pass for the files"
    assert f"`labelspace restore {name}` brings the files back" in refused.stderr

    done = lab.json("restore", name, "--yes")
    assert "CVAT's files (data and keys) after backup" in done["lost"]
    assert lab.until_ready(name)["status"] == "ready"
    assert _in(media, "server", "sh", "-c", f"find {media['folder']} -type f | wc -l") == "3"
    for volume in ("data", "keys"):
        assert _in(media, "server", "cat", IDENTITY.format(volume)) == _sql(media, KNOWN)
    assert lab.json("drill", name)["ok"]


def test_a_lost_repository_of_files_is_said_until_it_is_accepted(lab: Lab, media: Any) -> None:
    name = media["name"]
    shutil.rmtree(lab.home.backups / name / "files")
    assert "copies of CVAT's files are gone" in _failed(lab, name)["backups"]
    taken = lab.json("backup", name)["id"]
    assert "a new repository is in their place" in _failed(lab, name)["files"]
    rows = lab.json("backups", name, "--accept", taken)["backups"]
    assert [row["files"] for row in rows[-2:]] == [False, True]
    assert lab.until_ready(name)["status"] == "ready"
    assert lab.json("drill", name)["ok"]


def test_a_bucket_folder_that_is_removed_or_replaced_is_said(lab: Lab, media: Any) -> None:
    name, folder = media["name"], lab.home.buckets / "street"
    away = folder.with_name("street.away")
    folder.rename(away)
    try:
        assert "its folder is gone" in _failed(lab, name)["bucket street"]
        refused = lab.run("create", name, "--yes")
        assert (refused.returncode, f"`mkdir {folder}`" in refused.stderr) == (1, True), refused.stderr
        folder.mkdir()
        assert "is not the one that its container sees" in _failed(lab, name)["bucket street"]
        folder.rmdir()
    finally:
        away.rename(folder)
    assert lab.until_ready(name)["status"] == "ready"


def test_a_folder_of_backups_that_is_removed_is_said_and_never_begun_again_in_silence(
    lab: Lab, media: Any
) -> None:
    name, folder = media["name"], lab.home.backups / media["name"]
    away = folder.with_name(f"{name}.away")
    folder.rename(away)
    try:
        assert "its folder is gone" in _failed(lab, name)["backups"]
        lab.json("stop", name)
        for part in ("database", "data", "keys"):
            refused = lab.run("start", name)
            assert (refused.returncode, str(folder) in refused.stderr) == (1, True), refused.stderr
            docker.from_env().volumes.get(f"labelspace-{name}-{part}").remove()
        refused = lab.run("start", name)
        assert "the volumes database, data, keys are gone, and so are its backups" in refused.stderr
    finally:
        away.rename(folder)
    lab.json("restore", name, "--yes")
    lab.json("start", name)
    assert _in(media, "server", "sh", "-c", f"find {media['folder']} -type f | wc -l") == "3"
