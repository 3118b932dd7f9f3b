"""A workspace on this machine's Docker engine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from labelspace.spec.email import EmailSpec
from labelspace.spec.fields import BindAddress, Cidr, Port, PublicUrl, is_loopback, separated
from labelspace.spec.notify import NotifySpec
from labelspace.spec.tls import TlsSpec
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
    public_url: PublicUrl | None = None
    """Address that browsers open when your own TLS proxy serves the workspace, such as https://labels.example.org."""
    trusted_proxies: Annotated[tuple[Cidr, ...], BeforeValidator(separated)] = Field(
        default=(), validate_default=True
    )
    """Networks from which your proxy connects; none: this machine's, when ``bind_address`` is 127.0.0.1."""
    tls: TlsSpec | None = None
    """A certificate of your own, with which the workspace itself serves HTTPS; none: plain HTTP."""
    email: EmailSpec | None = None
    """The SMTP server for CVAT's mails; none: CVAT sends no mails."""
    sleep_after_minutes: int = Field(default=0, ge=0, le=10080)
    """Minutes without a user before the workspace sleeps; 0: never."""

    notify: NotifySpec | None = None
    """Where faults are reported; none: only ``labelspace status`` shows them."""
    deleted: bool = False
    """True after `labelspace delete`: only what holds data is left; `labelspace create NAME` restores it."""

    @model_validator(mode="after")
    def _deleted_does_not_run(self) -> LocalSpec:
        if self.deleted and self.running:
            raise ValueError(
                "deleted: a deleted workspace does not run: `labelspace create NAME` restores it"
            )
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_named(cls, proxies: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        public, address = info.data.get("public_url"), info.data.get("bind_address", "127.0.0.1")
        if proxies and not public:
            raise ValueError("give public_url too, the address that the proxy serves")
        if public and not proxies and not is_loopback(address):
            raise ValueError(
                "the ports are open to a network: give the address of your proxy, such as"
                " trusted_proxies=192.0.2.7/32, or bind_address=127.0.0.1 when it runs on this machine"
            )
        return proxies

    @property
    def is_private(self) -> bool:
        """Whether this machine alone reaches the ports."""
        return is_loopback(self.bind_address)

    @model_validator(mode="after")
    def _ports_differ(self) -> LocalSpec:
        if self.port == self.s3_port:
            raise ValueError(f"port and s3_port are both {self.port}: give two different ports")
        if self.tls and self.tls.port in (self.port, self.s3_port):
            other = "port" if self.tls.port == self.port else "s3_port"
            raise ValueError(f"tls.port and {other} are both {self.tls.port}: give two different ports")
        return self

    @model_validator(mode="after")
    def _mails_have_a_server(self) -> LocalSpec:
        if self.notify and self.notify.email and not self.email:
            raise ValueError(
                "notify.email: mails need an SMTP server, and there is none: give email.host and email.from"
            )
        return self

    @model_validator(mode="after")
    def _one_serves_https(self) -> LocalSpec:
        if self.tls and self.public_url:
            raise ValueError(
                "tls and public_url exclude each other: leave out public_url when the workspace serves HTTPS"
                " itself, and tls when your proxy does"
            )
        return self
