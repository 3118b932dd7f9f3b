"""Which engine is found, and how Docker's library and Pulumi's provider are led to it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from labelspace import docker_endpoint
from labelspace.docker_endpoint import ENGINE_SOCKET, Endpoint


def _with_context(folder: Path, name: str, *, tls: bool = False, **docker: Any) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker}}))
    if tls:
        (folder / "contexts" / "tls" / digest / "docker").mkdir(parents=True)


def test_without_any_setting_it_is_the_default_socket(tmp_path: Path) -> None:
    found = docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path)})
    assert (found.url, found.source) == (f"unix://{ENGINE_SOCKET}", "the default")
    assert found.environment() == {}


def test_docker_host_wins_over_every_context(tmp_path: Path) -> None:
    _with_context(tmp_path, "desktop", Host="unix:///desktop.sock")
    (tmp_path / "config.json").write_text('{"currentContext": "desktop"}')
    environ = {
        "DOCKER_CONFIG": str(tmp_path),
        "DOCKER_CONTEXT": "desktop",
        "DOCKER_HOST": "unix:///mine.sock",
    }
    found = docker_endpoint.find(environ)
    assert str(found) == "unix:///mine.sock (DOCKER_HOST)"
    assert found.environment()["DOCKER_CONTEXT"] == ""


def test_docker_context_wins_over_the_current_context(tmp_path: Path) -> None:
    _with_context(tmp_path, "desktop", Host="unix:///desktop.sock")
    _with_context(tmp_path, "rootless", Host="unix:///run/user/1000/docker.sock")
    (tmp_path / "config.json").write_text('{"currentContext": "desktop"}')
    current = docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path)})
    assert current.url == "unix:///desktop.sock"
    assert "current context 'desktop' of" in current.source
    named = docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "rootless"})
    assert (named.url, named.source) == ("unix:///run/user/1000/docker.sock", "DOCKER_CONTEXT=rootless")
    assert named.environment()["DOCKER_HOST"] == "unix:///run/user/1000/docker.sock"
    default = docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "default"})
    assert default.source == "the default"


def test_a_context_with_certificates(tmp_path: Path) -> None:
    _with_context(tmp_path, "remote", tls=True, Host="tcp://10.1.2.3:2376")
    found = docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "remote"})
    assert found.is_remote
    assert found.environment()["DOCKER_CERT_PATH"].endswith("/docker")
    assert found.environment()["DOCKER_TLS_VERIFY"] == "1"


def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="DOCKER_CONTEXT=gone: no such context"):
        docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path), "DOCKER_CONTEXT": "gone"})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json: it cannot be read"):
        docker_endpoint.find({"DOCKER_CONFIG": str(tmp_path)})


@pytest.mark.parametrize(
    ("url", "remote", "socket"),
    [
        ("unix:///var/run/docker.sock", False, "/var/run/docker.sock"),
        ("unix:///run/user/1000/podman/podman.sock", False, "/run/user/1000/podman/podman.sock"),
        ("unix:///home/ann/.docker/desktop/docker.sock", False, ENGINE_SOCKET),
        ("tcp://127.0.0.1:2375", False, ""),
        ("tcp://192.0.2.7:2376", True, ""),
        ("ssh://root@192.0.2.7", True, ""),
    ],
)
def test_where_the_engine_runs_and_which_socket_it_sees(url: str, socket: str, *, remote: bool) -> None:
    endpoint = Endpoint(url, "DOCKER_HOST")
    assert (endpoint.is_remote, endpoint.socket) == (remote, socket)


def test_docker_desktop_on_a_mac_sees_its_own_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert Endpoint("unix:///Users/ann/.docker/run/docker.sock", "the default").socket == ENGINE_SOCKET
