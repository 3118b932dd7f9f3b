"""Files that a bucket can never take are listed with the reason; the rest is uploaded."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import obstore
import pytest
from botocore.exceptions import ClientError
from tests.unit.ops.storage.test_upload import Storage

from labelspace_ops.core.errors import OpsError
from labelspace_ops.storage import listing
from labelspace_ops.storage.upload import (
    Rejection,
    Upload,
    UploadResult,
    plan_upload,
    upload_all,
    upload_file,
)


class RefusingStorage(Storage):
    """A bucket that answers ``put_object`` of some keys with an error code."""

    def __init__(self, refused: dict[str, str]) -> None:
        super().__init__()
        self.refused = refused

    def put_object(self, **request: Any) -> dict[str, str]:
        if request["Key"] in self.refused:
            raise ClientError({"Error": {"Code": self.refused[request["Key"]]}}, "PutObject")
        return super().put_object(**request)


def _upload(storage: Storage, *paths: Path, prefix: str = "", small: Any = None) -> UploadResult:
    client: Any = storage
    to = listing.Storage("bucket", lambda: client, small)
    return upload_all(to, plan_upload([*paths], prefix), lambda _: None)


def _write(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("p" * 1019 + "/", "the key has 1025 bytes"),
        ("é" * 128 + "/", "a part of the key has 256 bytes"),
        (".sgwtmp/", "reserved by the gateway"),
        ("../", "'.' or '..'"),
    ],
)
def test_a_key_that_no_bucket_takes_is_rejected_before_it_is_sent(
    tmp_path: Path, prefix: str, reason: str
) -> None:
    _write(tmp_path / "a.jpg")
    storage = Storage()
    result = _upload(storage, tmp_path, prefix=prefix)
    assert (result.uploaded, result.skipped, storage.puts) == (0, 0, 0)
    [rejected] = result.rejected
    assert rejected.file == str(tmp_path / "a.jpg")
    assert reason in rejected.reason


def test_the_longest_allowed_key_is_uploaded(tmp_path: Path) -> None:
    _write(tmp_path / "a.jpg")
    prefix = ("p" * 203 + "/") * 5  # 1,020 bytes
    result = _upload(Storage(), tmp_path, prefix=prefix[1:])
    assert result == UploadResult(uploaded=1, skipped=0, rejected=())


def test_a_name_that_is_not_utf8_is_rejected_and_shown_escaped(tmp_path: Path) -> None:
    _write(tmp_path / "good.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"x")
    result = _upload(Storage(), tmp_path)
    assert result.uploaded == 1
    assert result.rejected == (Rejection(f"{tmp_path}/caf\\xe9.jpg", "its name is not UTF-8: rename it"),)


def test_a_file_with_the_name_of_a_folder_is_rejected_and_the_folder_is_uploaded(tmp_path: Path) -> None:
    _write(tmp_path / "one/day/1.jpg", tmp_path / "one/day/2.jpg", tmp_path / "two/day")
    result = _upload(Storage(), tmp_path / "one", tmp_path / "two")
    assert result.uploaded == 2
    [rejected] = result.rejected
    assert (rejected.file, "folder of the same name" in rejected.reason) == (str(tmp_path / "two/day"), True)


def test_two_files_with_one_key_do_not_overwrite_each_other(tmp_path: Path) -> None:
    _write(tmp_path / "one/1.jpg", tmp_path / "two/1.jpg")
    result = _upload(Storage(), tmp_path / "one", tmp_path / "two")
    assert result.uploaded == 1
    assert result.rejected == (
        Rejection(str(tmp_path / "two/1.jpg"), f"{tmp_path / 'one/1.jpg'} has the same key 1.jpg"),
    )


def test_what_is_no_file_is_rejected_and_not_left_out_in_silence(tmp_path: Path) -> None:
    _write(tmp_path / "good.jpg")
    (tmp_path / "link.jpg").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "server"))
        result = _upload(Storage(), tmp_path)
    assert result.uploaded == 1
    assert [Path(one.file).name for one in result.rejected] == ["link.jpg", "server"]
    assert {one.reason for one in result.rejected} == {"it is no file, or a link to nothing"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ObjectParentIsFile", "a folder of its key is a file in the bucket"),
        ("ExistingObjectIsDirectory", "its key is a folder in the bucket"),
        ("KeyTooLongError", "KeyTooLongError"),
    ],
)
def test_a_file_that_the_bucket_refuses_does_not_stop_the_others(
    tmp_path: Path, code: str, reason: str
) -> None:
    _write(*(tmp_path / f"{number:03}.jpg" for number in range(40)))
    result = _upload(RefusingStorage({"007.jpg": code}), tmp_path)
    assert (result.uploaded, result.skipped) == (39, 0)
    [rejected] = result.rejected
    assert rejected.file == str(tmp_path / "007.jpg")
    assert reason in rejected.reason


def test_the_quick_way_tells_permanent_refusals_apart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(*_: Any, **__: Any) -> None:
        raise obstore.exceptions.AlreadyExistsError("409: <Error><Code>ObjectParentIsFile</Code></Error>")

    monkeypatch.setattr(obstore, "put", put)
    _write(tmp_path / "a.jpg")
    result = _upload(Storage(), tmp_path, small=obstore.store.MemoryStore())
    assert [one.reason for one in result.rejected] == [
        "a folder of its key is a file in the bucket: rename one"
    ]


def test_a_file_that_vanished_is_rejected_and_the_others_go(tmp_path: Path) -> None:
    _write(tmp_path / "a.jpg", tmp_path / "b.jpg")
    client: Any = Storage()
    planned = plan_upload([tmp_path], "")
    (tmp_path / "a.jpg").unlink()
    result = upload_all(listing.Storage("bucket", lambda: client), planned, lambda _: None)
    assert result.uploaded == 1
    assert result.rejected == (Rejection(str(tmp_path / "a.jpg"), "No such file or directory"),)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "InvalidAccessKeyId"])
def test_a_bucket_that_refuses_everything_ends_the_upload_without_advice_to_repeat_it(
    tmp_path: Path, code: str
) -> None:
    _write(tmp_path / "a.jpg")
    with pytest.raises(OpsError, match=rf"bucket bucket refuses uploads \({code}\)") as refused:
        _upload(RefusingStorage({"a.jpg": code}), tmp_path)
    assert "again" not in str(refused.value)


def test_a_single_file_that_is_refused_is_an_error_with_the_reason(tmp_path: Path) -> None:
    _write(tmp_path / "a.jpg")
    client: Any = Storage()
    to = listing.Storage("bucket", lambda: client)
    with pytest.raises(OpsError, match="reserved by the gateway"):
        upload_file(to, Upload(tmp_path / "a.jpg", ".sgwtmp/a.jpg", 1), lambda _: None)
