"""Many files at a time: none twice, none left out, and the first failure ends it."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import obstore
import pytest
from botocore.exceptions import ClientError
from obstore.store import MemoryStore

from labelspace_ops.core.errors import OpsError
from labelspace_ops.storage import listing
from labelspace_ops.storage import upload as uploads
from labelspace_ops.storage.object_store import AT_A_TIME
from labelspace_ops.storage.upload import MANY, plan_upload, upload_all


class Storage:
    """What a bucket answers: keeps objects, checks checksums as S3 does, and counts questions."""

    def __init__(self, broken: str = "", *, echo: bool = True) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.broken, self.echo, self.asked, self.puts = broken, echo, 0, 0
        self.exceptions = SimpleNamespace(ClientError=ClientError)
        self._one, self._failed = threading.Lock(), threading.Event()

    def put_object(self, **request: Any) -> dict[str, str]:
        if self.broken and request["Key"] != self.broken:  # the others are on their way when it fails
            assert self._failed.wait(30)
            time.sleep(0.2)
        body = request["Body"].read()
        digest = hashlib.sha256(body).digest()
        with self._one:
            self.puts += 1
            if request["Key"] == self.broken:
                self._failed.set()
                raise ClientError({"Error": {"Code": "BadDigest"}}, "PutObject")
            assert base64.b64decode(request["ChecksumSHA256"]) == digest
            self.objects[request["Key"]] = {"ContentLength": len(body), "Metadata": request["Metadata"]}
        return {"ChecksumSHA256": request["ChecksumSHA256"]} if self.echo else {}

    def head_object(self, **request: Any) -> dict[str, Any]:
        with self._one:
            self.asked += 1
            if request["Key"] not in self.objects:
                raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
            return self.objects[request["Key"]]

    def get_paginator(self, _: str) -> Storage:
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        return [
            {
                "Contents": [
                    {"Key": key, "Size": body["ContentLength"]}
                    for key, body in self.objects.items()
                    if key.startswith(request["Prefix"])
                ]
            }
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(10 * MANY):
        (tmp_path / f"{number:03}.jpg").write_bytes(bytes([number % 256]) * number)
    return tmp_path


def _send(storage: Storage, folder: Path, seen: list[int]) -> int:
    client: Any = storage
    return upload_all(
        listing.Storage("bucket", lambda: client), plan_upload([folder], "in/"), seen.append
    ).uploaded


def test_each_file_goes_once_and_a_second_time_not_at_all(folder: Path) -> None:
    storage, seen = Storage(), list[int]()
    assert _send(storage, folder, seen) == 10 * MANY
    assert storage.puts == len(storage.objects) == 10 * MANY
    assert storage.asked == 0
    assert sum(seen) == sum(file.stat().st_size for file in folder.iterdir())
    (folder / "007.jpg").write_bytes(b"changed")
    assert _send(storage, folder, seen) == 1
    assert storage.puts == 10 * MANY + 1


def test_a_storage_that_says_no_checksum_is_asked(folder: Path) -> None:
    storage = Storage(echo=False)
    assert _send(storage, folder, []) == storage.asked == 10 * MANY


def test_the_first_failure_ends_it_and_names_the_file(folder: Path) -> None:
    storage = Storage(broken="in/000.jpg")
    with pytest.raises(OpsError, match=r"000\.jpg: upload failed .*BadDigest.* run the same command again"):
        _send(storage, folder, [])
    assert storage.puts <= AT_A_TIME


def _quick(storage: Storage, small: Any, folder: Path) -> int:
    client: Any = storage
    return upload_all(
        listing.Storage("bucket", lambda: client, small), plan_upload([folder], "in/"), lambda _: None
    ).uploaded


def test_small_files_go_the_quick_way_and_large_or_oddly_named_ones_the_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SMALL", 150)
    (folder / "tab\t.jpg").write_bytes(b"odd")
    small, storage = MemoryStore(), Storage()
    assert _quick(storage, small, folder) == 10 * MANY + 1
    kept = {one["path"]: one["size"] for page in small.list() for one in page}
    assert kept == {f"in/{number:03}.jpg": number for number in range(151)}
    large = {f"in/{number:03}.jpg" for number in range(151, 10 * MANY)}
    assert set(storage.objects) == large | {"in/tab\t.jpg"}
    got = small.get("in/007.jpg")
    assert bytes(got.bytes()) == b"\7" * 7
    assert got.attributes["sha256"] == hashlib.sha256(b"\7" * 7).hexdigest()
    for path in folder.iterdir():
        if path.stat().st_size > 150 or not path.name.isprintable():
            path.unlink()
    (folder / "007.jpg").write_bytes(b"changed")
    assert _quick(storage, small, folder) == 1


def test_what_arrived_otherwise_than_it_was_sent_is_no_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(to: Any, key: str, content: bytes, **more: Any) -> Any:
        return put(to, key, content[:-1], **more)

    put = obstore.put
    monkeypatch.setattr(obstore, "put", cut)
    with pytest.raises(OpsError, match="what arrived differs in size or checksum"):
        _quick(Storage(), MemoryStore(), folder)
