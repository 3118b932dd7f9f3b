"""A status ends whatever hangs: each measurement has a deadline, and says that there was no answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace_ops.core import deadlines
from labelspace_ops.core.checks import Check, cvat_health
from labelspace_ops.core.deadlines import Clock, NoAnswerError, check_of
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Result, ServiceState
from labelspace_ops.stack.state import Resource
from labelspace_ops.storage import media_files
from labelspace_ops.targets.local import status as local
from labelspace_ops.targets.local.target import LocalTarget
from labelspace_ops.targets.scaleway import retained
from labelspace_ops.targets.scaleway import status as scaleway
from labelspace_ops.targets.status import Status

UUID = "11111111-1111-1111-1111-111111111111"
NO_ANSWER = "no answer in 1 s"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address at which connections are accepted and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "ANSWER_SECONDS", 1.0)
    for module in (local, scaleway):
        monkeypatch.setattr(module, "WORK_SECONDS", 1.0)


def _resources(silent: str, **more: Any) -> list[Resource]:
    outputs = {
        "api_url": f"http://{silent}",
        "url": f"https://{silent}",
        "running": True,
        "buckets": [{"name": "cats", "endpoint": f"http://{silent}", "region": "local"}],
        "bucket_keys": {"cats": {"access_key": "key", "secret_key": "secret"}},
        **more,
    }
    return [Resource("pulumi:pulumi:Stack", outputs=outputs)]


def _failed(status: Status) -> dict[str, str]:
    return {check.name: check.detail for check in status.checks if not check.ok}


def test_an_engine_that_hangs_is_named(tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "engine.sock"))
        engine.listen(8)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        status = local.measure("pets", _resources(silent), Home(tmp_path))
    assert status.status == "degraded"
    assert f"engine.sock (DOCKER_HOST): {NO_ANSWER}" in _failed(status)["engine"]
    assert [bucket.name for bucket in status.buckets] == ["cats"]


class _HangingDatabase:
    """A runtime whose database takes a command and never ends it."""

    workspace = "pets"

    def __init__(self) -> None:
        self.never = threading.Event()

    def services(self) -> dict[str, ServiceState]:
        return {"database": ServiceState("id", "running")}

    def exec(self, *_: object, **__: object) -> Result:
        self.never.wait()
        return Result(0, "")


def test_database_bucket_and_url_that_hang_are_named_each(
    tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime: Any = _HangingDatabase()
    monkeypatch.setattr(local, "_ask_engine", lambda *_: local._Engine(runtime, {}, set()))
    monkeypatch.setattr(local, "_measure_parts", lambda *_: [])
    Home(tmp_path).keys.mkdir()
    Home(tmp_path).backup_key("pets").write_text("key")
    status = local.measure("pets", _resources(silent), Home(tmp_path))
    runtime.never.set()
    assert _failed(status) == {"backups": NO_ANSWER, "bucket cats": NO_ANSWER, "health": NO_ANSWER}
    assert status.buckets[0].objects is None


def test_a_container_whose_health_check_hangs_is_named() -> None:
    never = threading.Event()
    pending = Clock().start(lambda: Check(name="ui", ok=never.wait(), detail=""))
    assert check_of(pending, "ui") == Check(name="ui", ok=False, detail=NO_ANSWER)
    never.set()


def test_measurements_that_begin_late_get_what_is_left() -> None:
    never = threading.Event()
    with pytest.raises(NoAnswerError, match="no answer in 0 s"):
        Clock(total=0).start(never.wait, 60).result()
    never.set()


def test_scaleways_api_storage_and_url_that_hang_are_named_each(
    tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SCW_ACCESS_KEY": "SCWAAAAAAAAAAAAAAAAA",
        "SCW_SECRET_KEY": UUID,
        "SCW_DEFAULT_PROJECT_ID": UUID,
        "SCW_DEFAULT_ORGANIZATION_ID": UUID,
        "SCW_API_URL": f"http://{silent}",
        "SCW_S3_ENDPOINT": f"http://{silent}",
    }.items():
        monkeypatch.setenv(name, value)
    settings = {"name": "pets", "target": "scaleway", "buckets": [{"name": "cats"}]}
    resources = _resources(silent, region="fr-par", settings=json.dumps(settings))
    resources += [Resource(kind, id=f"fr-par-1/{UUID}") for kind in (retained.SERVER, retained.VOLUME)]
    failed = _failed(scaleway.measure("pets", resources, Home(tmp_path)))
    assert {name for name, detail in failed.items() if detail == NO_ANSWER} >= {
        "server", "volume", "dumps", "orphans", "bucket cats", "health", "certificate"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway: the server starts"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "does not answer as CVAT does"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "does not answer as CVAT does"),
        (b"", "does not answer as CVAT does"),
    ],
)
def test_the_line_of_a_restarting_server_is_never_empty(answer: bytes, detail: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(4096)
            connection.sendall(answer)
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        check = cvat_health(f"http://127.0.0.1:{server.getsockname()[1]}", 5)
    assert not check.ok
    assert detail in check.detail


def test_the_listing_of_a_task_s_files_ends_too(silent: str) -> None:
    outputs = _resources(silent)[0].outputs
    s3 = LocalTarget().bucket_client(outputs, "cats", patience=0.5)
    with pytest.raises(OpsError, match=r"bucket cats cannot be listed: the server does not answer in time"):
        media_files.find_files(s3, "cats", "", subset=None, seed=0, checked=lambda _: None)
