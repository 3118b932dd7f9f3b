"""A real image registry on this machine, and a proxy before it that slows it down, refuses, and cuts layers.

Docker treats registries on 127.0.0.0/8 as insecure, so both speak plain HTTP.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import secrets
import socket
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import docker
from testbed import registry as program

from labelspace_ops.core.waiting import wait_until

MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CHUNK = 64 * 1024


@dataclass
class Faults:
    """What the proxy does wrong; a test changes it while the proxy serves."""

    bytes_per_second: int = 0
    """Speed of layers; 0: as fast as it can."""
    rate_limited: bool = False
    """Manifests are answered with 429, as Docker Hub does."""
    cuts: int = 0
    """How many more answers with a layer end in the middle."""
    password: str = ""
    """Who pulls must know it (user ``team``); empty: anybody may pull."""
    requests: list[str] = field(default_factory=list)
    """Method and path of each request."""

    def reset(self) -> None:
        """Serve without faults again."""
        self.__dict__.update(vars(Faults()))


@dataclass(frozen=True)
class Registry:
    """The registry's own address for pushes, the proxy's for pulls."""

    push: str
    pull: str
    faults: Faults


@contextmanager
def serve(folder: Path) -> Iterator[Registry]:
    """A registry with its data in ``folder``, behind its proxy."""
    port, faults = _free_port(), Faults()
    environment = {
        **os.environ,
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(folder),
        "REGISTRY_HTTP_ADDR": f"127.0.0.1:{port}",
        "OTEL_TRACES_EXPORTER": "none",
    }
    settings = folder / "registry.yml"
    settings.write_text("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {}}\nhttp: {}\n")
    command, quiet = [str(program.program()), "serve", str(settings)], subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
    proxy = Proxy(port, faults)
    Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        wait_until(
            lambda: _answers(port), timeout=30, interval=0.1, on_timeout="the registry does not answer"
        )
        yield Registry(f"127.0.0.1:{port}", f"127.0.0.1:{proxy.server_port}", faults)
    finally:
        proxy.shutdown()
        proxy.server_close()
        process.terminate()
        process.wait(timeout=10)


def push(client: docker.DockerClient, registry: Registry, name: str, layers: list[int]) -> str:
    """Push an image with random layers of these sizes in bytes; return the name to pull it by."""
    files = {f"layer{number}": secrets.token_bytes(size) for number, size in enumerate(layers)}
    recipe = "FROM scratch\n" + "".join(f"COPY {file} /\n" for file in files)
    tag = f"{registry.push}/{name}"
    client.images.build(
        fileobj=_tar({**files, "Dockerfile": recipe.encode()}), custom_context=True, tag=tag, rm=True
    )
    for line in client.api.push(tag, stream=True, decode=True):
        assert "error" not in line, line
    client.images.remove(tag)
    return f"{registry.pull}/{name}"


def offer_only(registry: Registry, name: str, architecture: str) -> None:
    """Replace the image by a manifest list that offers it for one architecture."""
    repository, _, tag = name.rpartition("/")[2].partition(":")
    manifest, digest = _manifest(registry, repository, tag)
    entry = {"mediaType": MANIFEST, "size": len(manifest), "digest": digest,
             "platform": {"architecture": architecture, "os": "linux"}}  # fmt: skip
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_LIST, "manifests": [entry]})
    url = f"http://{registry.push}/v2/{repository}/manifests/{tag}"
    request = urllib.request.Request(url, body.encode(), {"Content-Type": MANIFEST_LIST}, method="PUT")
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - this machine's registry
        assert answer.status == 201


def _manifest(registry: Registry, repository: str, tag: str) -> tuple[bytes, str]:
    url = f"http://{registry.push}/v2/{repository}/manifests/{tag}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": MANIFEST})) as answer:
        return answer.read(), str(answer.headers["Docker-Content-Digest"])


def _tar(files: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    out.seek(0)
    return out


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with suppress(OSError):
        return bool(urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/").status == 200)
    return False


class Proxy(ThreadingHTTPServer):
    """Forwards to the registry on ``port``, with faults."""

    def __init__(self, port: int, faults: Faults) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port, self.faults = port, faults


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        faults = self.server.faults
        faults.requests.append(f"{self.command} {self.path}")
        if faults.password and not _knows(self.headers.get("Authorization", ""), faults.password):
            self._refuse(401, "UNAUTHORIZED", "authentication required")
        elif faults.rate_limited and "/manifests/" in self.path:
            self._refuse(429, "TOOMANYREQUESTS", RATE_LIMITED)
        else:
            self._forward()

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self, status: int, code: str, text: str) -> None:
        body = json.dumps({"errors": [{"code": code, "message": text}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _forward(self) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.port)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for key, value in self.headers.items():  # the engine sends an Accept for each kind of manifest
            if key != "Authorization":
                upstream.putheader(key, value)
        upstream.endheaders()
        answer = upstream.getresponse()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            self.send_header(key, value)
        self.end_headers()
        self._body(answer, size=int(answer.getheader("Content-Length") or 0))

    def _body(self, answer: http.client.HTTPResponse, size: int) -> None:
        faults = self.server.faults
        is_layer = self.command == "GET" and "/blobs/" in self.path and size > 2 * CHUNK
        stop = size
        if is_layer and faults.cuts > 0:
            faults.cuts, stop, self.close_connection = faults.cuts - 1, size // 2, True
        while stop > 0 and (chunk := answer.read(min(CHUNK, stop))):
            self.wfile.write(chunk)
            stop -= len(chunk)
            if is_layer and faults.bytes_per_second:
                time.sleep(len(chunk) / faults.bytes_per_second)

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output quiet."""


RATE_LIMITED = (
    "You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"
)


def _knows(header: str, password: str) -> bool:
    return header == f"Basic {base64.b64encode(f'team:{password}'.encode()).decode()}"
