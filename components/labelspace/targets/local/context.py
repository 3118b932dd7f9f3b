"""Where on this machine a workspace lives: its names, its network, its folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labelspace.naming import resource_name

if TYPE_CHECKING:
    import pulumi

    from labelspace.targets.local.machine import Machine

NEW_FOLDER_OWNER = 1000
"""Who owns a new bucket folder: CVAT's user inside, the first user of most Linux machines outside."""

LOOPBACK = "127.0.0.1"


def reachable(bind_address: str) -> str:
    """An address at which this machine's programs reach what listens there."""
    return LOOPBACK if bind_address in ("0.0.0.0", "::") else bind_address  # noqa: S104 - compared, not bound


def addresses(bind_address: str, *, on_loopback: bool) -> tuple[str, ...]:
    """The addresses to listen on; with ``on_loopback``, 127.0.0.1 is always served."""
    own = (bind_address,)
    return own if not on_loopback or reachable(bind_address) == LOOPBACK else (*own, LOOPBACK)


@dataclass(frozen=True)
class DockerContext:
    """Hands every part of one local workspace its names; ``network`` is the name of its Docker network."""

    workspace: str
    network: pulumi.Input[str]
    bind_address: str
    machine: Machine
    sleeps: bool = False
    """Whether a sleeper may stop and start what runs: then the stack leaves the run state to it."""

    @property
    def mounts(self) -> pulumi.Output[str]:
        """Mount points of this workspace's remote buckets, one folder each."""
        return self.machine.path(lambda home: home.mounts / self.workspace)

    def named(self, part: str) -> str:
        """The Docker name of a container, network or volume."""
        return resource_name(self.workspace, part)
