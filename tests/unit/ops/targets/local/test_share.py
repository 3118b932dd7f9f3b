"""Files of the share that CVAT's user cannot read."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import READ_ATTEMPTS, Result
from labelspace_ops.targets.local import share

NOBODY = 65534


class Runtime:
    """Runs the server's program here, as a user who is not root."""

    workspace = "pets"

    def exec(self, service: str, command: list[str]) -> Result:
        assert (service, command[:2]) == ("server", ["python3", "-c"])
        is_root, output = os.geteuid() == 0, io.StringIO()
        if is_root:
            os.setresuid(NOBODY, NOBODY, 0)
        try:
            with contextlib.redirect_stdout(output), pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "argv", ["-c", *command[3:]])
                exec(command[2], {})  # noqa: S102 - the program that the server would run
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
        return Result(0, f"a warning on standard error\n{output.getvalue()}")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the bucket ``street``, which every user can reach."""
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        monkeypatch.setattr(share, "SHARE_ROOT", root)
        folder = Path(root) / "street"
        for name, mode in (("day/1.jpg", 0o644), ("day/2.jpg", 0o000), ("night/3.jpg", 0o644)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"x")
            (folder / name).chmod(mode)
        (folder / "night").chmod(0o000)
        yield folder
        folder.chmod(0o755)
        (folder / "night").chmod(0o755)


def _unreadable(prefix: str) -> frozenset[str]:
    runtime: Any = Runtime()
    found = share.find_unreadable(runtime, [f"street/{prefix}"])
    assert found.is_complete
    return found.keys("street")


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("", {"day/2.jpg", "night"}),
        ("day", {"day/2.jpg"}),
        ("day/2.jpg", {"day/2.jpg"}),
        ("day/1.jpg", set()),
    ],
)
def test_files_and_folders_without_permission_are_found(bucket: Path, prefix: str, keys: set[str]) -> None:
    assert _unreadable(prefix) == keys


def test_a_folder_that_lists_its_files_and_opens_none(bucket: Path) -> None:
    (bucket / "day").chmod(0o744)
    assert _unreadable("day") == {"day/1.jpg", "day/2.jpg"}


def test_a_link_to_nothing_is_no_unreadable_file(bucket: Path) -> None:
    (bucket / "day" / "gone.jpg").symlink_to("nowhere")
    assert _unreadable("day") == {"day/2.jpg"}


def test_the_buckets_folder_itself_may_be_shut(bucket: Path) -> None:
    bucket.chmod(0o700)
    assert _unreadable("") == {""}


def test_a_missing_folder_has_none(bucket: Path) -> None:
    assert _unreadable("nowhere") == frozenset()


def test_a_server_that_cannot_list_the_share_is_an_error() -> None:
    class Broken(Runtime):
        def exec(self, service: str, command: list[str]) -> Result:
            return Result(1, "python3: not found")

    runtime: Any = Broken()
    with pytest.raises(OpsError, match="the share of pets cannot be listed: python3: not found"):
        share.find_unreadable(runtime, ["street"])


def test_an_output_that_the_engine_lost_is_asked_for_again(bucket: Path) -> None:
    lost = [Result(0, ""), Result(0, "")]

    class Forgetful(Runtime):
        def exec(self, service: str, command: list[str]) -> Result:
            return lost.pop() if lost else super().exec(service, command)

    runtime: Any = Forgetful()
    assert share.find_unreadable(runtime, ["street"]).keys("street") == {"day/2.jpg", "night"}
    lost[:] = [Result(0, "")] * READ_ATTEMPTS
    with pytest.raises(OpsError, match="the share of pets cannot be listed: no answer"):
        share.find_unreadable(runtime, ["street"])


def test_a_time_limit_ends_the_search(bucket: Path) -> None:
    runtime: Any = Runtime()
    assert not share.find_unreadable(runtime, ["street"], seconds=0).is_complete


def test_a_bucket_is_recognised_by_its_whole_name() -> None:
    found = share.Unreadable(frozenset({"a", "a/1", "ab/2"}), is_complete=True)
    assert found.keys("a") == {"", "1"}
    assert found.keys("ab") == {"2"}
