"""The images that one workspace's containers run, as resources: each is declared once."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from labelspace.cvat.images import image_part, platform

TIMEOUTS = pulumi.CustomTimeouts(create="24h", update="24h")
"""The provider ends a pull or a build after 20 minutes otherwise."""


class Images:
    """Declares an image when a container first needs it; the engine keeps it when the stack goes.

    ``parent``: the component whose children the images become.
    """

    def __init__(self, workspace: str, parent: pulumi.Resource) -> None:
        self._workspace, self._parent = workspace, parent
        self._declared: dict[str, docker.RemoteImage] = {}

    def __getitem__(self, name: str) -> docker.RemoteImage:
        """The resource of the image ``name``; pulled by the provider where the engine lacks it."""
        return self._declared.get(name) or self.declare(name, self._parent)

    def declare(
        self, name: str, parent: pulumi.Resource, hooks: pulumi.ResourceHookBinding | None = None
    ) -> docker.RemoteImage:
        """Declare the image ``name`` under another parent, or with hooks."""
        opts = pulumi.ResourceOptions(parent=parent, hooks=hooks, custom_timeouts=TIMEOUTS)
        return self.add(
            name,
            docker.RemoteImage(
                self._resource_name(name), name=name, platform=platform(name), keep_locally=True, opts=opts
            ),
        )

    def add(self, name: str, image: docker.RemoteImage) -> docker.RemoteImage:
        """Count ``image``, declared elsewhere, among the workspace's images."""
        self._declared[name] = image
        return image

    def digests(self) -> dict[str, pulumi.Output[str]]:
        """The digest of each image by its name; of one that was built here, its ID."""
        return {name: _digest(image) for name, image in self._declared.items()}

    def _resource_name(self, name: str) -> str:
        part = image_part(name)
        taken = part in map(image_part, self._declared)
        return f"{self._workspace}-{part}{'-' + name.rpartition(':')[2] if taken else ''}-image"


def _digest(image: docker.RemoteImage) -> pulumi.Output[str]:
    """``sha256:...``."""
    return pulumi.Output.all(image.repo_digest, image.image_id).apply(
        lambda known: str(known[0] or known[1]).rpartition("@")[2]
    )
