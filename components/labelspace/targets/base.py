"""The interface of a target: one function that deploys a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import pulumi

    from labelspace.cvat.services import Secrets
    from labelspace.given import Given
    from labelspace.outputs import BeforeUpgrade, BucketAccess, Deployment, SharedDatabase
    from labelspace.spec import WorkspaceSpec

Spec = TypeVar("Spec", bound="WorkspaceSpec")


@dataclass(frozen=True)
class Declaration(Generic[Spec]):
    """A workspace to declare, with every resource as a child of ``parent``."""

    parent: pulumi.Resource
    prefix: str
    """The parent's resource name: the names of its children begin with it."""
    given: Given[Spec]
    secrets: Secrets
    before_upgrade: BeforeUpgrade | None = None
    """It may raise before another CVAT version is used."""
    buckets: Mapping[str, BucketAccess] = field(default_factory=dict)
    """Buckets that are components of their own, by name; only target local takes any."""
    database: SharedDatabase | None = None
    """A database that is a component of its own; only target local takes one."""

    depends_on: Sequence[pulumi.Resource] = ()
    """Those components."""

    @property
    def spec(self) -> Spec:
        """The settings, with stand-ins for outputs (``Given.known``)."""
        return self.given.known


class Deploy(Protocol):
    """Declare every resource of a workspace."""

    def __call__(self, declaration: Declaration[Any]) -> Deployment:
        """Return what the stack exports."""
