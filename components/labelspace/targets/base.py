"""The interface of a target: one function that deploys a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pulumi

    from labelspace.cvat.services import Secrets
    from labelspace.outputs import BeforeUpgrade, Deployment
    from labelspace.spec import WorkspaceSpec


class Deploy(Protocol):
    """Declare every resource of a workspace as a child of ``parent``."""

    def __call__(
        self,
        parent: pulumi.Resource,
        spec: WorkspaceSpec,
        secrets: Secrets,
        before_upgrade: BeforeUpgrade | None = None,
    ) -> Deployment:
        """Return what the stack exports. ``before_upgrade`` may raise before another CVAT version is used."""
