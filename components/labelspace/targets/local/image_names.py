"""Names of the images that a workspace's containers run; loads no Pulumi."""

from __future__ import annotations

from labelspace.cvat.images import IMAGES, server_images
from labelspace.spec import LocalSpec


def image_names(spec: LocalSpec) -> tuple[str, ...]:
    """The images to pull; without the database's, which is built here on ``IMAGES["postgres"]``."""
    mount = (IMAGES["rclone"],) if any(bucket.endpoint for bucket in spec.buckets) else ()
    return (*server_images(spec.cvat_version), IMAGES["versitygw"], *mount)
