"""Where on this machine a workspace lives: its names, its network, its folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labelspace.home import Home
from labelspace.naming import resource_name

if TYPE_CHECKING:
    import pulumi

NEW_FOLDER_OWNER = 1000
"""Who owns a new bucket folder: CVAT's user inside, the first user of most Linux machines outside."""


def reachable(bind_address: str) -> str:
    """An address at which this machine's programs reach what listens there."""
    return "127.0.0.1" if bind_address in ("0.0.0.0", "::") else bind_address  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class DockerContext:
    """Hands every part of one local workspace its names; ``network`` is the name of its Docker network."""

    workspace: str
    prefix: str
    """The name of the component that this is a part of: resource names of its children begin with it."""
    network: pulumi.Input[str]
    bind_address: str
    home: Home
    sleeps: bool = False
    """Whether a sleeper may stop and start what runs: then the stack leaves the run state to it."""

    @property
    def mounts(self) -> Path:
        """Mount points of this workspace's remote buckets, one folder each."""
        return self.home.mounts / self.workspace

    def child(self, part: str) -> str:
        """The resource name of a part."""
        return f"{self.prefix}-{part}"

    def named(self, part: str) -> str:
        """The Docker name of a container, network or volume."""
        return resource_name(self.workspace, part)
