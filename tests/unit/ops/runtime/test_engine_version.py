"""What the engine tells about itself: its version, and where it stores images."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine


def _engine(version: str = "28.2.2", component: str = "Engine", **info: Any) -> Any:
    versions = {"Version": version, "Components": [{"Name": component}]}
    return SimpleNamespace(version=lambda: versions, info=lambda: {"DockerRootDir": "/docker", **info})


@pytest.mark.parametrize("version", ["20.10.9", "20.10.5+dfsg1", "19.03.15"])
def test_an_engine_on_which_new_images_do_not_start_is_refused(version: str) -> None:
    with pytest.raises(OpsError, match=rf"version {version.replace('+', '.')} is too old.*20\.10\.10"):
        docker_engine.check_version(_engine(version))


@pytest.mark.parametrize("version", ["20.10.10", "20.10.24+dfsg1", "23.0.0", "29.0.0-rc.1"])
def test_a_newer_engine_is_accepted(version: str) -> None:
    assert docker_engine.check_version(_engine(version)) == version


def test_podmans_version_is_not_compared_with_dockers() -> None:
    assert docker_engine.check_version(_engine("4.3.1", "Podman Engine")) == "4.3.1"


CONTAINERD = [["driver-type", "io.containerd.snapshotter.v1"]]


@pytest.mark.parametrize(
    ("info", "folders"),
    [
        ({"DriverStatus": [["Backing Filesystem", "extfs"]]}, ["/docker"]),
        ({"DriverStatus": None}, ["/docker"]),
        ({"DriverStatus": CONTAINERD}, ["/docker", "/var/lib/containerd"]),
        (
            {"DriverStatus": CONTAINERD, "Containerd": {"Address": "/run/containerd/containerd.sock"}},
            ["/docker", "/var/lib/containerd"],
        ),
        (
            {"DriverStatus": CONTAINERD, "Containerd": {"Address": "/run/docker/containerd/containerd.sock"}},
            ["/docker"],
        ),
    ],
)
def test_the_disks_of_volumes_and_images_are_found(info: dict[str, Any], folders: list[str]) -> None:
    assert docker_engine.data_folders(_engine(**info)) == tuple(map(Path, folders))
