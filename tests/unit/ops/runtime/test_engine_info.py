"""What an engine's answers say of it, and which settings it is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labelspace.docker_endpoint import Endpoint
from labelspace.spec import LocalSpec, validate
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime.engine_info import EngineInfo
from labelspace_ops.targets.local import preflight

GOOD = {
    "name": "pets",
    "buckets": [{"name": "photos"}],
    "admin": {"username": "head-of-labels", "email": "a@example.org", "password": "a-Long-phrase-of-2026"},
    "port": 8080,
    "s3_port": 8081,
}
SOCKET = Endpoint("unix:///var/run/docker.sock", "the default")
INFO = {
    "MemoryLimit": True,
    "CgroupDriver": "systemd",
    "SecurityOptions": ["name=seccomp,profile=default"],
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "KernelVersion": "6.1.0-18-amd64",
    "DockerRootDir": "/var/lib/docker",
}
DOCKER = {"Version": "28.3.0", "Components": [{"Name": "Engine"}]}


def _info(version: dict[str, Any] | None = None, **info: Any) -> EngineInfo:
    return EngineInfo.from_answers(version or DOCKER, {**INFO, **info}, SOCKET)


def _spec(**settings: Any) -> LocalSpec:
    return validate(LocalSpec, {**GOOD, **settings})


REMOTE = {"name": "photos", "endpoint": "https://s3.example.org", "region": "eu"}


def test_docker_as_root() -> None:
    found = _info()
    assert str(found) == "Docker 28.3.0, at unix:///var/run/docker.sock (the default)"
    assert found.shares_mounts
    assert found.serves_containers


def test_rootless_docker_without_delegated_cgroups() -> None:
    """As Docker 20.10 answers on a machine with cgroup v1."""
    found = _info(
        SecurityOptions=["name=seccomp,profile=default", "name=rootless"],
        CgroupDriver="none",
        MemoryLimit=False,
    )
    assert "rootless, without memory limits" in str(found)
    assert not found.shares_mounts
    assert not found.serves_containers


def test_user_namespaces() -> None:
    found = _info(SecurityOptions=["name=seccomp,profile=default", "name=userns"])
    assert "userns-remap" in str(found)
    assert not found.shares_mounts


def test_podman() -> None:
    found = _info({"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]})
    assert str(found).startswith("Podman 4.3.1, at ")


def test_docker_desktop() -> None:
    found = _info(OperatingSystem="Docker Desktop", KernelVersion="6.10.14-linuxkit")
    assert found.product == "Docker Desktop"
    assert not found.shares_mounts
    assert not found.wsl


def test_wsl() -> None:
    assert "in WSL 2" in str(_info(KernelVersion="5.15.167.4-microsoft-standard-WSL2"))


@pytest.mark.parametrize(
    "info", [{"OperatingSystem": "Docker Desktop"}, {"SecurityOptions": ["name=rootless"]}]
)
def test_a_remote_bucket_needs_shared_mounts(info: dict[str, Any]) -> None:
    preflight.check_support(_spec(buckets=[REMOTE]), _info())
    with pytest.raises(UsageError, match=r"buckets\.0: a remote bucket cannot be mounted with"):
        preflight.check_support(_spec(buckets=[REMOTE]), _info(**info))


def test_sleep_needs_a_socket_for_containers_and_cgroups() -> None:
    preflight.check_support(_spec(sleep_after_minutes=30), _info())
    by_tcp = replace(_info(), endpoint=Endpoint("tcp://127.0.0.1:2375", "DOCKER_HOST"))
    for engine in (by_tcp, _info(CgroupDriver="none"), _info(SecurityOptions=["name=userns"])):
        with pytest.raises(UsageError, match="sleep_after_minutes: 30 is refused"):
            preflight.check_support(_spec(sleep_after_minutes=30), engine)


def test_an_engine_of_another_machine_is_refused() -> None:
    engine = replace(_info(), endpoint=Endpoint("ssh://root@192.0.2.7", "DOCKER_HOST"))
    with pytest.raises(OpsError, match=r"ssh://root@192\.0\.2\.7 \(DOCKER_HOST\) is another machine"):
        preflight.check_engine(engine)


def test_podman_without_systemd_measures_no_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    podman = _info({"Version": "4.3.1", "Components": [{"Name": "Podman Engine"}]})
    monkeypatch.setattr(preflight, "SYSTEMD", tmp_path)
    preflight.check_support(_spec(sleep_after_minutes=30), podman)
    monkeypatch.setattr(preflight, "SYSTEMD", tmp_path / "absent")
    preflight.check_support(_spec(), podman)
    with pytest.raises(UsageError, match="sleep_after_minutes: Podman measures containers' health"):
        preflight.check_support(_spec(sleep_after_minutes=30), podman)
