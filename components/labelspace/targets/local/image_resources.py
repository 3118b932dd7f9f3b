"""CVAT's images as resources, and how long the provider may pull."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from labelspace.cvat.images import cvat_image, platform
from labelspace.targets.local.machine import Machine

TIMEOUTS = pulumi.CustomTimeouts(create="6h", update="6h")
"""The provider ends what it does after 20 minutes otherwise, a pull or a build too."""


def cvat_resource(
    workspace: str,
    part: str,
    version: str,
    machine: Machine,
    *,
    parent: pulumi.Resource,
    hooks: pulumi.ResourceHookBinding | None = None,
    after: docker.RemoteImage | None = None,
) -> docker.RemoteImage:
    """CVAT's ``server`` or ``ui`` as a resource: it names the platform that the provider pulls.

    ``after``: an image that it waits for, with the hooks of that image.
    """
    name = cvat_image(part, version)
    return docker.RemoteImage(
        f"{workspace}-{part}-image",
        name=machine.once_compared(name),
        platform=platform(name),
        keep_locally=True,
        opts=pulumi.ResourceOptions(
            parent=parent, hooks=hooks, custom_timeouts=TIMEOUTS, depends_on=[after] if after else None
        ),
    )
