"""What a Docker engine is, as far as a workspace depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelspace.docker_endpoint import Endpoint

DESKTOP = "Docker Desktop"


@dataclass(frozen=True)
class EngineInfo:
    """An engine's own answers to ``/version`` and ``/info``."""

    product: str
    """``Docker``, ``Docker Desktop`` or ``Podman``."""
    version: str
    endpoint: Endpoint
    rootless: bool = False
    """The engine runs without root's rights: its containers' root is the user who runs it."""
    remapped: bool = False
    """The engine runs as root, and containers' users are others outside (dockerd's ``userns-remap``)."""
    wsl: bool = False
    """The engine's kernel is the one of Windows' subsystem for Linux."""
    limits: bool = True
    """Whether memory limits apply: not on a rootless engine without delegated cgroups."""
    cgroups: bool = True
    """Whether containers have a cgroup: without one their processes cannot be listed."""

    @classmethod
    def from_answers(
        cls, version: Mapping[str, Any], info: Mapping[str, Any], endpoint: Endpoint
    ) -> EngineInfo:
        """Build it from the JSON of ``GET /version`` and ``GET /info``."""
        options = {option.split(",")[0] for option in info.get("SecurityOptions") or []}
        return cls(
            product=_product(version, info),
            version=str(version.get("Version", "")),
            endpoint=endpoint,
            rootless="name=rootless" in options,
            remapped="name=userns" in options,
            wsl="microsoft" in str(info.get("KernelVersion", "")).lower(),
            limits=bool(info.get("MemoryLimit")),
            cgroups=info.get("CgroupDriver") != "none",
        )

    @property
    def shares_mounts(self) -> bool:
        """Whether a mount that one container makes appears in the folder of this machine, and in others.

        Mounts do not leave a user namespace (mount_namespaces(7)) or a virtual machine.
        """
        return not (self.rootless or self.remapped or self.product == DESKTOP)

    @property
    def serves_containers(self) -> bool:
        """Whether a container's root can use the engine's socket and list other containers' processes."""
        return bool(self.endpoint.socket) and self.cgroups and not self.remapped

    def __str__(self) -> str:
        kinds = {
            "rootless": self.rootless,
            "userns-remap": self.remapped,
            "in WSL 2": self.wsl,
            "without memory limits": not self.limits,
        }
        described = ", ".join([f"{self.product} {self.version}", *(kind for kind, on in kinds.items() if on)])
        return f"{described}, at {self.endpoint}"


def is_podman(version: Mapping[str, Any]) -> bool:
    """Whether the answer to ``GET /version`` is Podman's."""
    return any("Podman" in part.get("Name", "") for part in version.get("Components") or [])


def is_desktop(info: Mapping[str, Any]) -> bool:
    """Whether the answer to ``GET /info`` is Docker Desktop's, which names itself as the operating system."""
    return info.get("OperatingSystem") == DESKTOP


def _product(version: Mapping[str, Any], info: Mapping[str, Any]) -> str:
    if is_podman(version):
        return "Podman"
    return DESKTOP if is_desktop(info) else "Docker"
