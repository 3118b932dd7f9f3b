"""Each library's real error, as commands print it: one sentence with the next step, and no code."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import boto3
import docker
import httpx
import obstore.store
import pytest
import yaml
from botocore.config import Config
from PIL import Image
from pulumi.automation import CommandError, CommandResult
from pydantic import BaseModel

from labelspace_ops.audit.predictions import _results
from labelspace_ops.audit.readers.table import rows_of_parquet
from labelspace_ops.cli import main as cli_main
from labelspace_ops.cli import upload as cli_upload
from labelspace_ops.cli.app import app
from labelspace_ops.core.checks import cvat_health
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import Event, Failed
from labelspace_ops.cvat.client import CvatClient
from labelspace_ops.labels import labels_file
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.storage import buckets, object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.storage.media_files import find_files

CODE = re.compile(
    r"Traceback|Debug source|\b(?!InternalError)\w+Error\b|\w+Exception\b|[\w.]+\.(py|rs|go)\b|0x[0-9a-f]{4}"
    r"|Some\(|kind: |::|\\n|[{}]|ConnectionPool|goroutine|NoneType|\[Errno|<\?xml|line \d+, in "
)
"""What only programmers read: names of exceptions and files of code, Rust's structures, objects, markup."""
STEP = re.compile(
    r"run the same command again|`labelspace [a-z]|check |give |mend |expected |LABELSPACE_HOME"
)
INTERNAL = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>Try again.</Message></Error>"
NO_SPACE = b'{"message": "no space left on device"}'
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>"
Provoke = Callable[["Server", Path], object]


class Server:
    """Answers every request in one way."""

    def __init__(self) -> None:
        self.status, self.body, self.delay = 200, b"", 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                time.sleep(outer.delay)
                self.send_response(outer.status)
                self.send_header("content-length", str(len(outer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(outer.body)

            do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that does not wait is no error here."""

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.http.server_port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def says(self, status: int, body: bytes, delay: float = 0.0) -> Server:
        """Set the answer."""
        self.status, self.body, self.delay = status, body, delay
        return self


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.http.serve_forever, daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Libraries wait for a second and try once; the home is empty."""
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path / "home"))
    made, connected = obstore.store.S3Store, boto3.client

    def store(bucket: str, **options: Any) -> Any:
        options["client_options"] |= {"timeout": "1s", "connect_timeout": "1s"}
        return made(bucket, **{**options, "retry_config": {"max_retries": 0}})

    def client(service: Literal["s3"], **options: Any) -> Any:
        options["config"] = options["config"].merge(
            Config(connect_timeout=1, read_timeout=1, retries={"max_attempts": 0})
        )
        return connected(service, **options)

    monkeypatch.setattr(object_store, "S3Store", store)
    monkeypatch.setattr(boto3, "client", client)


def _outputs(url: str) -> dict[str, Any]:
    return {
        "target": "local",
        "buckets": [{"name": "photos", "endpoint": url, "region": "us-east-1"}],
        "bucket_keys": {"photos": {"access_key": "a", "secret_key": "b"}},
        "settings": json.dumps({"name": "pets"}),
    }


def _store(url: str) -> Storage:
    outputs = _outputs(url)
    return Storage(
        "photos", lambda: buckets.client(outputs, "photos"), object_store.open_store(outputs, "photos")
    )


def _task(server: Server, _: Path) -> object:
    s3 = buckets.client(_outputs(server.url), "photos")
    return find_files(s3, "photos", "", subset=None, seed=0, checked=lambda _: None)


def _docker(server: Server, _: Path) -> object:
    client = docker.DockerClient(base_url=f"tcp://127.0.0.1:{server.port}", version="1.41", timeout=1)
    return DockerRuntime(client, "pets").services()


def _plain_docker(server: Server, _: Path) -> object:
    client = docker.DockerClient(base_url=f"tcp://127.0.0.1:{server.port}", version="1.41", timeout=1)
    return client.containers.list()


class Model(BaseModel):
    """A model with a number."""

    number: int


def _labels(text: str) -> Provoke:
    def provoke(_: Server, folder: Path) -> object:
        (folder / "pets.yaml").write_text(text)
        return labels_file.read(folder / "pets.yaml")

    return provoke


def _parquet(_: Server, folder: Path) -> object:
    (folder / "rows.parquet").write_bytes(b"PAR1 no table PAR1")
    return rows_of_parquet(folder / "rows.parquet")


def _pulumi(report: str) -> Provoke:
    def provoke(_: Server, __: Path) -> object:
        raise CommandError(CommandResult("", report, 255))

    return provoke


def _refused(_: Server, __: Path) -> object:
    return list(object_store.list_objects(object_store.open_store(_outputs("http://127.0.0.1:9"), "photos")))


CASES: dict[str, Provoke] = {
    "boto3 500": lambda server, path: _task(server.says(500, INTERNAL), path),
    "boto3 403": lambda server, path: _task(server.says(403, DENIED), path),
    "boto3 no answer": lambda server, path: _task(server.says(200, b"", 2), path),
    "boto3 no S3": lambda server, path: _task(server.says(200, b"<html>a page"), path),
    "obstore 500": lambda server, _: list(
        object_store.list_objects(_store(server.says(500, INTERNAL).url).small)  # type: ignore[arg-type]
    ),
    "obstore no answer": lambda server, _: list(
        object_store.list_objects(_store(server.says(200, b"", 2).url).small)  # type: ignore[arg-type]
    ),
    "obstore no S3": lambda server, _: list(
        object_store.list_objects(_store(server.says(200, b"<html>a page").url).small)  # type: ignore[arg-type]
    ),
    "obstore refused": _refused,
    "both 500": lambda server, _: _store(server.says(500, INTERNAL).url).list_objects("", lambda key, _: key),
    "docker 500": lambda server, path: _docker(
        server.says(500, b'{"message": "no space left on device"}'), path
    ),
    "docker no answer": lambda server, path: _docker(server.says(200, b"[]", 2), path),
    "docker no JSON": lambda server, path: _docker(server.says(200, b"<html>"), path),
    "docker unwrapped": lambda server, path: _plain_docker(server.says(500, b"<html>"), path),
    "docker unwrapped, no answer": lambda server, path: _plain_docker(server.says(200, b"[]", 2), path),
    "httpx refused": lambda _, __: httpx.get("http://127.0.0.1:9"),
    "httpx no answer": lambda server, _: httpx.get(server.says(200, b"", 1).url, timeout=0.2),
    "pydantic": lambda _, __: Model.model_validate({"number": "x"}),
    "yaml": lambda _, __: yaml.safe_load("a: [1\nb: {"),
    "labels, no YAML": _labels("project: [1\nb: {"),
    "labels, a tag": _labels("a: !!python/object:os.system x"),
    "labels, twice": _labels("a: 1\na: 2\n"),
    "json": lambda _, __: json.loads("{"),
    "parquet": _parquet,
    "pillow": lambda _, __: Image.open(io.BytesIO(b"no image")),
    "predictions": lambda _, __: _results([{"image_id": 1}, None], "p.json"),
    "pulumi passphrase": _pulumi("error: incorrect passphrase"),
    "pulumi settings left": _pulumi(
        "error: could not create secrets manager for new stack: incorrect passphrase"
    ),
    "pulumi no passphrase": _pulumi(
        "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
        " environment variables"
    ),
    "pulumi YAML": _pulumi("error: invalid YAML file: yaml: line 1: did not find expected node content"),
    "pulumi crash": _pulumi(
        "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n\t/src/main.go:7 +0x1d"
    ),
    "file": lambda _, path: (path / "nowhere" / "x").read_text(),
}


def _run(monkeypatch: pytest.MonkeyPatch, command: Callable[[], object]) -> str:
    """Run the command line's entry point around ``command``; return what it prints."""
    monkeypatch.setattr(cli_main, "app", command)
    events: list[Event] = []
    with pytest.raises(SystemExit) as ended:
        cli_main.main(events.append)
    assert ended.value.code in (1, 2)
    failed = events[-1]
    assert isinstance(failed, Failed)
    return failed.reason


def _assert_is_sentence(text: str) -> None:
    assert not (found := CODE.search(text)), f"{found}: {text}"
    assert "\n" not in text
    assert STEP.search(text), text
    assert len(text) < 500


@pytest.mark.parametrize("case", CASES)
def test_the_error_of_a_library_is_one_sentence(
    case: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_is_sentence(_run(monkeypatch, lambda: CASES[case](server, tmp_path)))
    assert not (tmp_path / "home" / "reports").exists()


UPLOADS = {
    (
        500,
        INTERNAL,
    ): "a.png: upload failed (the server answers 500 (Internal Server Error)): run the same command",
    (403, DENIED): "bucket photos refuses uploads (403): check its name, keys",
    (200, b"<html>a page"): "a.png: upload failed (Unable to extract metadata",
}


@pytest.mark.parametrize("answer", UPLOADS)
def test_an_upload_that_s3_refuses(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes]
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    outputs = _outputs(server.says(*answer).url)
    monkeypatch.setattr(cli_upload, "outputs_of", lambda _: outputs)
    monkeypatch.setattr(sys, "argv", ["labelspace", "upload", "pets", str(tmp_path / "a.png")])
    printed = _run(monkeypatch, app)
    _assert_is_sentence(printed)
    assert UPLOADS[answer] in printed


def test_an_unknown_error_is_written_to_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def break_down() -> None:
        raise ZeroDivisionError("division by zero")

    printed = _run(monkeypatch, break_down)
    (report,) = (tmp_path / "home" / "reports").iterdir()
    assert str(report) in printed
    assert "division by zero" not in printed
    assert "break_down" in report.read_text()


def test_a_sentence_of_our_own_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OpsError("bucket: 'x' is no bucket: choose another")

    assert _run(monkeypatch, refuse) == "bucket: 'x' is no bucket: choose another"


def test_a_server_that_does_not_answer_is_no_object_of_python() -> None:
    check = cvat_health("http://127.0.0.1:9")
    assert not check.ok
    assert check.detail == "http://127.0.0.1:9 does not answer as CVAT does (connection refused)"


def test_cvat_that_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CvatClient("http://127.0.0.1:9", "admin", "secret", probe=True)
    printed = _run(monkeypatch, lambda: client.get("/projects"))
    _assert_is_sentence(printed)
    assert printed.startswith("CVAT does not answer at http://127.0.0.1:9: connection refused: see")
