"""Labels of what is bound into containers, where SELinux is on."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.container_spec import Service
from labelspace.targets.local import container, machine
from labelspace.targets.local.machine import Facts, folder_bind

SERVICE = Service(name="worker", image="image", memory=64)


def facts(*, selinux: bool) -> Facts:
    return Facts("/home/.labelspace", "0123456789abcdef", selinux=selinux, podman=False, socket="")


def test_selinux_is_known_by_its_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    monkeypatch.setattr(machine, "SELINUX", tmp_path / "enforce")
    assert not Facts.here().selinux
    (tmp_path / "enforce").write_text("1")
    assert Facts.here().selinux


def test_a_bound_folder_gets_the_label_that_containers_share() -> None:
    assert folder_bind(facts(selinux=True), "/data", "/data").selinux_relabel == "z"


def test_the_engines_socket_keeps_its_label_and_its_container_has_none() -> None:
    on = facts(selinux=True)
    assert folder_bind(on, "/run/docker.sock", "/s", relabel=False).selinux_relabel is None
    assert "label:disable" in container._security(SERVICE, on, unlabeled=True)
    assert "label:disable" not in container._security(SERVICE, on, unlabeled=False)


def test_without_selinux_nothing_is_labelled() -> None:
    off = facts(selinux=False)
    assert folder_bind(off, "/data", "/data").selinux_relabel is None
    assert container._security(SERVICE, off, unlabeled=True) == ["no-new-privileges"]
