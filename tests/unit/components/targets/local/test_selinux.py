"""Labels of what is bound into containers, where SELinux is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.container_spec import Service
from labelspace.targets.local import container

SERVICE = Service(name="worker", image="image", memory=64)


@pytest.fixture
def selinux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enforce = tmp_path / "enforce"
    enforce.write_text("1")
    monkeypatch.setattr(container, "SELINUX", enforce)


@pytest.mark.usefixtures("selinux")
def test_a_bound_folder_gets_the_label_that_containers_share() -> None:
    assert container.bind_folder("/data", "/data").selinux_relabel == "z"


@pytest.mark.usefixtures("selinux")
def test_the_engines_socket_keeps_its_label_and_its_container_has_none() -> None:
    assert container.bind_folder("/run/docker.sock", "/s", relabel=False).selinux_relabel is None
    assert "label:disable" in container._security(SERVICE, unlabeled=True)
    assert "label:disable" not in container._security(SERVICE, unlabeled=False)


def test_without_selinux_nothing_is_labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "SELINUX", tmp_path / "absent")
    assert container.bind_folder("/data", "/data").selinux_relabel is None
    assert container._security(SERVICE, unlabeled=True) == ["no-new-privileges"]
