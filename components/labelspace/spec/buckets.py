"""Dataset buckets."""

from __future__ import annotations

import re

from pydantic import SecretStr, field_validator, model_validator

from labelspace.spec.base import SpecPart
from labelspace.spec.fields import BindAddress, BucketName, HostFolder, Name, Port


class BucketSpec(SpecPart):
    """A dataset bucket: a folder of this machine, or a bucket at any S3 endpoint."""

    name: BucketName
    """The bucket's name; in CVAT the folder of that name under Connected file share."""
    path: HostFolder | None = None
    """A folder of your own on this machine, such as /data/images: it is only read, never changed."""
    endpoint: str | None = None
    """S3 endpoint of a remote bucket, as URL; none: a bucket of the workspace's own target."""
    region: str = "us-east-1"
    """Region that requests to ``endpoint`` are signed for."""
    access_key: SecretStr | None = None
    """S3 access key for ``endpoint``; none: a public bucket."""
    secret_key: SecretStr | None = None
    """S3 secret key for ``endpoint``."""
    adopt: bool = False
    """Scaleway: take over a bucket of the project that is there already, as it is."""

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", value):
            raise ValueError("give a URL such as https://s3.fr-par.scw.cloud")
        if value is not None and re.match(r"https?://(localhost|127\.|\[::1\])", value):
            raise ValueError(
                "containers cannot reach this machine's loopback: give an address of its network"
            )
        return value

    @model_validator(mode="after")
    def _is_in_one_place(self) -> BucketSpec:
        if self.path is not None and (self.endpoint is not None or self.adopt):
            raise ValueError(
                "path is a folder of this machine: leave out endpoint and adopt, or leave out path"
            )
        return self

    @model_validator(mode="after")
    def _credentials_belong_together(self) -> BucketSpec:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("give both access_key and secret_key, or neither for a public bucket")
        if self.endpoint is None and self.access_key is not None:
            raise ValueError("access_key is for a remote bucket: add its endpoint")
        return self


class DatasetBucketSpec(SpecPart):
    """The settings of a separate dataset bucket on this machine."""

    name: Name
    bucket: BucketName
    bind_address: BindAddress = "127.0.0.1"
    port: Port
    """Host port of its S3 gateway."""
