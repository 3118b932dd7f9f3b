"""Settings of a container in the words in which Podman gives them back.

Other words for the same would be a difference at each update, which replaces the container.
"""

from __future__ import annotations

import pulumi_docker as docker

DEFAULT_CAPABILITIES = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""What Podman compares a container's capabilities with (runtime-tools/generate), in its order."""


def full_name(image: str) -> str:
    """An image's name with the registry and the folder that Docker leaves out."""
    registry, slash, _ = image.partition("/")
    if slash and ("." in registry or ":" in registry or registry == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def capabilities(added: tuple[str, ...]) -> docker.ContainerCapabilitiesArgs:
    """All of the default capabilities dropped but ``added``."""
    return docker.ContainerCapabilitiesArgs(
        drops=[name for name in DEFAULT_CAPABILITIES if name not in added],
        adds=[f"CAP_{name}" for name in added if name not in DEFAULT_CAPABILITIES],
    )
