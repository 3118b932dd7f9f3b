"""The images of a workspace before an update: digests that changed, architectures that need emulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from docker.errors import ImageNotFound

from labelspace_ops.core.errors import OpsError
from labelspace_ops.targets.local import architecture
from labelspace_ops.targets.local.images import changed

SERVER, UI, REDIS = "cvat/server:v2.73.0", "cvat/ui:v2.73.0", "redis:7.2.16-alpine"
OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64


class Container:
    def __init__(self, image: str, identity: str) -> None:
        self.attrs = {"Config": {"Image": image}, "Image": identity}


class Runtime:
    """A workspace whose containers were created from ``OLD`` images; ``now`` is what has the names."""

    workspace = "pets"

    def __init__(self, now: dict[str, str]) -> None:
        self.client = Engine("amd64", dict.fromkeys(now, "amd64"), identities=now)

    def containers(self) -> dict[str, Container]:
        return {
            "worker": Container(SERVER, OLD),
            "server": Container(SERVER, OLD),
            "redis": Container(REDIS, OLD),
        }


def test_an_image_that_is_another_one_now_is_named_with_its_containers() -> None:
    assert changed(cast(Any, Runtime({SERVER: NEW, REDIS: OLD}))) == [
        f"image {SERVER}: sha256:111111111111 -> sha256:222222222222: server, worker run the old one:"
        " `labelspace stop pets`, then `labelspace start pets` use the new one"
    ]


def test_an_image_that_lost_its_name_is_no_change() -> None:
    """It is named among those that are pulled."""
    assert changed(cast(Any, Runtime({}))) == []


class Image:
    def __init__(self, machine: str, identity: str) -> None:
        self.attrs, self.id = {"Architecture": machine}, identity


class Engine:
    """An engine of an architecture that has images of architectures."""

    def __init__(
        self,
        machine: str,
        present: dict[str, str],
        *,
        system: str = "Ubuntu",
        identities: dict[str, str] | None = None,
    ) -> None:
        self.machine, self.present, self.system = machine, present, system
        self.identities = identities or {}
        self.images = self
        self.api = self
        self.base_url = "http+docker://localhost"

    def version(self) -> dict[str, Any]:
        return {"Arch": self.machine}

    def info(self) -> dict[str, Any]:
        return {"OperatingSystem": self.system}

    def get(self, name: str) -> Image:
        if name not in self.present:
            raise ImageNotFound("no such image")
        return Image(self.present[name], self.identities.get(name, OLD))


@pytest.fixture(autouse=True)
def emulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Linux machine without emulators."""
    monkeypatch.setattr(architecture, "BINFMT", tmp_path)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    return tmp_path


def require(engine: Engine) -> str:
    return architecture.require(cast(Any, engine), [SERVER, UI, REDIS])


def test_nothing_is_emulated_on_amd64() -> None:
    assert require(Engine("amd64", {})) == ""


def test_an_arm64_machine_without_an_emulator_is_refused() -> None:
    with pytest.raises(OpsError, match=r"install an emulator .*binfmt --install amd64") as caught:
        require(Engine("arm64", {}))
    assert SERVER in str(caught.value)
    assert REDIS not in str(caught.value), "Redis is published for arm64"


def test_one_with_an_emulator_is_warned(emulators: Path) -> None:
    (emulators / "qemu-x86_64").touch()
    assert "this arm64 engine emulates it" in require(Engine("arm64", {}))


def test_docker_desktop_emulates() -> None:
    assert "this arm64 engine emulates it" in require(Engine("arm64", {}, system="Docker Desktop"))


def test_a_remote_engine_is_only_warned() -> None:
    engine = Engine("arm64", {SERVER: "amd64"})
    engine.base_url = "http://198.51.100.1:2376"
    assert "this arm64 engine emulates it" in require(engine)


def test_images_that_were_built_for_the_engine_need_no_emulation() -> None:
    assert require(Engine("arm64", {SERVER: "arm64", UI: "arm64"})) == ""
