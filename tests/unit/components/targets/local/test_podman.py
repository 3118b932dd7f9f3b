"""Settings in the words in which Podman gives them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.docker_endpoint import Endpoint
from labelspace.targets.local import podman


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("redis:7.2.11-alpine", "docker.io/library/redis:7.2.11-alpine"),
        ("cvat/server:v2.73.0", "docker.io/cvat/server:v2.73.0"),
        ("ghcr.io/owner/image:1", "ghcr.io/owner/image:1"),
        ("localhost/labelspace-database:15", "localhost/labelspace-database:15"),
    ],
)
def test_an_image_has_its_full_name(image: str, full: str) -> None:
    assert podman.full_name(image) == full


def test_capabilities_are_the_defaults_that_are_dropped() -> None:
    found = podman.capabilities(("CHOWN", "SYS_ADMIN"))
    assert isinstance(found.drops, list)
    assert "CHOWN" not in found.drops
    assert len(found.drops) == 13
    assert found.adds == ["CAP_SYS_ADMIN"]


def test_podman_is_known_by_its_socket_or_what_that_links_to(tmp_path: Path) -> None:
    link = tmp_path / "docker.sock"
    link.symlink_to("/run/podman/podman.sock")
    assert Endpoint(f"unix://{link}", "DOCKER_HOST").is_podman
    assert Endpoint("unix:///run/user/1000/podman/podman.sock", "DOCKER_HOST").is_podman
    assert not Endpoint("unix:///run/docker.sock", "DOCKER_HOST").is_podman
