"""CVAT's own requests reach the private addresses that are named, and no others: by the real filter."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container
from testbed import egress_filter
from testbed.shell import SetupError
from tests.e2e.conftest import named_workspace
from tests.e2e.lab import Lab, containers, until

from labelspace.cvat.egress import REFUSAL

ALLOW = "gateway:7070,198.18.0.7"
OPTIONS = """
import glob, json
environs = []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        environs.append(open(path, errors="replace").read().split("\\0"))
    except OSError:
        pass  # a process that begins or ends
options = [line[17:] for lines in environs for line in lines if line.startswith("SMOKESCREEN_OPTS=")]
print(json.dumps(max(options, key=len)))
"""
GET = """
import json, os, sys, urllib.error, urllib.request
os.environ.pop("no_proxy", None)  # CVAT names the filter as proxy of each request, which this does not touch
proxy = urllib.request.ProxyHandler({"http": "http://127.0.0.1:4750"})
try:
    answer = urllib.request.build_opener(proxy).open(sys.argv[1], timeout=10)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps([answer.status, answer.read().decode(errors="replace")]))
"""


def _python(server: Container, program: str, *arguments: str) -> Any:
    done = server.exec_run(["python3", "-c", program, *arguments])
    assert done.exit_code == 0, done.output
    return json.loads(done.output if isinstance(done.output, bytes) else b"")


def _put(server: Container, program: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(program, "smokescreen")
    assert server.put_archive("/tmp", out.getvalue())  # noqa: S108 - a folder of the container


@pytest.fixture(scope="module")
def filtered(lab: Lab) -> Iterator[Any]:
    yield from named_workspace(lab, "--bucket", "kept", "--set", f"egress.allow={ALLOW}")


@pytest.fixture(scope="module")
def server(filtered: Any) -> Container:
    """The server's container, with the filter started as CVAT's supervisord starts it."""
    try:
        program = egress_filter.program()
    except SetupError as error:
        pytest.skip(str(error))
    server: Container = containers(filtered["name"])["server"]
    _put(server, program)
    options = shlex.split(_python(server, OPTIONS))
    server.exec_run(["/tmp/smokescreen", "--listen-ip=127.0.0.1", *options], detach=True)  # noqa: S108

    def listens() -> bool:
        return bool(server.exec_run(["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/4750"]).exit_code == 0)

    until(listens, "the filter listens")
    return server


def test_the_gateway_is_reached_by_its_name(server: Container) -> None:
    assert _python(server, GET, "http://gateway:7070/health")[0] == 200


@pytest.mark.parametrize(
    "url", ["http://opa:8181/health", "http://cvat-server:8080/", "http://gateway:7071/"]
)
def test_everything_else_is_refused_with_the_next_step(server: Container, url: str) -> None:
    status, text = _python(server, GET, url)
    assert status == 407
    assert REFUSAL in text


def test_a_change_is_shown_and_made(lab: Lab, filtered: Any, server: Container) -> None:
    name = filtered["name"]
    refused = lab.run("set", name, "egress.allow=169.254.169.254", "--yes")
    assert refused.returncode == 2
    assert "egress.allow.0: '169.254.169.254' is refused: clouds give out keys" in refused.stderr
    assert lab.run("set", name, "egress.allow=10.77.0.0/16", "--yes").returncode == 0
    options = shlex.split(_python(containers(name)["server"], OPTIONS))
    assert options[0] == "--allow-range=10.77.0.0/16"
    assert not [one for one in options if one.startswith("--allow-address")]
