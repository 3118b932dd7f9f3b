"""Images that are published for another processor architecture than the engine's: they need emulation."""

from __future__ import annotations

import platform as machine
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import docker
from docker.errors import ImageNotFound

from labelspace.cvat.images import platform
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.engine_info import is_desktop

BINFMT = Path("/proc/sys/fs/binfmt_misc")
"""Where Linux lists the emulators that start programs of other architectures."""
EMULATORS = ("qemu-x86_64", "rosetta", "FEX-x86_64")


class Emulation(NamedTuple):
    """What must be emulated."""

    engine: str
    """The engine's architecture, as Go names it: ``arm64``."""
    images: tuple[str, ...]
    """Images of another architecture alone; empty when nothing is emulated."""
    is_possible: bool | None
    """Whether the engine's machine can; None when that cannot be seen from here."""

    def __str__(self) -> str:
        """For people, with the next step; of something that is emulated."""
        names = ", ".join(self.images)
        if self.is_possible is False:
            return (
                f"architecture: {names}: published for amd64 alone, and this {self.engine} machine cannot run"
                " it: install an emulator (`docker run --privileged --rm tonistiigi/binfmt --install amd64`),"
                " or use an amd64 machine"
            )
        return (
            f"{names}: published for amd64 alone: this {self.engine} engine emulates it, several times"
            " slower, which CVAT does not support: for work, use an amd64 machine"
        )


def find_emulation(client: docker.DockerClient, names: Iterable[str]) -> Emulation:
    """Return which images the engine must emulate; one that was built for the engine is not among them."""
    engine = str(client.version().get("Arch", "amd64"))
    images = tuple(name for name in names if _is_other(client, name, engine))
    return Emulation(engine, images, _can_emulate(client) if images else None)


def require(client: docker.DockerClient, names: Iterable[str]) -> str:
    """Return the warning about emulated images, empty for none; raises ``OpsError`` when they cannot run."""
    found = find_emulation(client, names)
    if found.is_possible is False:
        raise OpsError(str(found))
    return str(found) if found.images else ""


def _is_other(client: docker.DockerClient, name: str, engine: str) -> bool:
    only = platform(name)
    if only is None or only.endswith(f"/{engine}"):
        return False
    try:
        return bool(client.images.get(name).attrs.get("Architecture") != engine)
    except ImageNotFound:
        return True


def _can_emulate(client: docker.DockerClient) -> bool | None:
    if is_desktop(client.info()):
        return True  # it always emulates amd64
    is_here = str(client.api.base_url).startswith("http+docker://") and machine.system() == "Linux"
    return any((BINFMT / name).exists() for name in EMULATORS) if is_here else None
