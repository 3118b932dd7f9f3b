"""A workspace on this machine's Docker engine."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from labelspace.spec.fields import BindAddress, Port
from labelspace.spec.workspace import WorkspaceSpec


class LocalSpec(WorkspaceSpec):
    """The settings of a workspace on this machine: addresses, ports, sleep."""

    target: Literal["local"] = "local"
    """Where it runs: this machine's Docker engine."""
    bind_address: BindAddress = "127.0.0.1"
    """Address of this machine that serves URL and S3: 127.0.0.1 is this machine alone."""
    port: Port = 8080
    """Host port of the annotation server."""
    s3_port: Port = 8081
    """Host port of the workspace's own S3 gateway."""
    sleep_after_minutes: int = Field(default=0, ge=0, le=10080)
    """Minutes without a user before the workspace sleeps; 0: never."""

    deleted: bool = False
    """True after `labelspace delete`: only what holds data is left; `labelspace create` brings it back."""

    @model_validator(mode="after")
    def _deleted_does_not_run(self) -> LocalSpec:
        if self.deleted and self.running:
            raise ValueError("deleted: a deleted workspace does not run: `labelspace create` brings it back")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> LocalSpec:
        if self.port == self.s3_port:
            raise ValueError(f"port and s3_port are both {self.port}: give two different ports")
        return self
