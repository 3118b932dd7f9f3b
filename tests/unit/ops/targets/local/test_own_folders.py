"""Dataset buckets that are folders of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.spec import LocalSpec
from labelspace_ops.core.errors import UsageError
from labelspace_ops.runtime.base import Job, Result, RuntimeFailedError
from labelspace_ops.targets.base import refuse_own_folder
from labelspace_ops.targets.local import own_folders


def _spec(folder: Path) -> LocalSpec:
    buckets = [{"name": "kept"}, {"name": "photos", "path": str(folder)}]
    return LocalSpec.model_validate({"name": "pets", "buckets": buckets})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "state" / "home" / "keys").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("state")
    return Home(tmp_path / "state" / "home")


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("nowhere", "cannot be opened (no such file or directory): give a folder"),
        ("file", "is not a folder: give the folder"),
        ("state/home/keys", "is inside"),
        ("state", "contains"),
        ("link", "contains"),
        ("link/home/keys", "is inside"),
    ],
)
def test_folders_that_cannot_be_buckets_are_refused(
    home: Home, tmp_path: Path, folder: str, reason: str
) -> None:
    with pytest.raises(UsageError) as refused:
        own_folders.check(_spec(tmp_path / folder), home)
    assert str(refused.value).startswith(f"buckets.1.path: {tmp_path / folder} {reason}")


def test_a_folder_of_images_is_taken(home: Home, tmp_path: Path) -> None:
    own_folders.check(_spec(tmp_path / "images"), home)


class Runtime:
    """An engine that lists a folder with this result."""

    def __init__(self, result: Result | Exception) -> None:
        self.result = result
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Result:
        self.jobs.append(job)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def _check(result: Result | Exception, folder: Path) -> Runtime:
    runtime: Any = Runtime(result)
    own_folders.check_readable(runtime, _spec(folder))
    return runtime  # type: ignore[no-any-return]


def test_the_folder_is_opened_as_cvats_user(home: Home, tmp_path: Path) -> None:
    (tmp_path / "images" / "a.jpg").write_text("")
    (job,) = _check(Result(0, "a.jpg\n"), tmp_path / "images").jobs
    (mount,) = job.mounts
    assert (job.user, mount.source, mount.read_only) == ("1000:1000", str(tmp_path / "images"), True)
    assert job.capabilities == ()


def test_an_empty_folder_is_taken(home: Home, tmp_path: Path) -> None:
    assert _check(Result(0, ""), tmp_path / "images").jobs


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Result(1, ""), "CVAT's user cannot open {}: let others read it (`chmod o+rx {}`)"),
        (Result(0, ""), "the Docker engine sees an empty folder at {}"),
        (RuntimeFailedError("Docker engine: 500 Server Error: Mounts denied"), "Docker Desktop shares only"),
    ],
)
def test_a_folder_that_the_engine_cannot_give_is_refused(
    home: Home, tmp_path: Path, result: Any, reason: str
) -> None:
    folder = tmp_path / "images"
    (folder / "a.jpg").write_text("")
    with pytest.raises(UsageError) as refused:
        _check(result, folder)
    assert reason.replace("{}", str(folder)) in str(refused.value)
    assert "500 Server Error" not in str(refused.value)


def test_uploads_are_refused_with_the_command_that_copies() -> None:
    outputs = {"buckets": [{"name": "kept"}, {"name": "photos", "path": "/data/my images"}]}
    refuse_own_folder(outputs, "kept")
    with pytest.raises(
        UsageError, match=r"copy the files there yourself \(`cp -R FILES '/data/my images'`\)"
    ):
        refuse_own_folder(outputs, "photos")
