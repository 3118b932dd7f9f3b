"""Targets by name: which function deploys a workspace. A target's package needs its provider's SDK alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

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


_MODULES = {
    "local": "labelspace.targets.local.deploy",
    "scaleway": "labelspace.targets.scaleway.deploy",
}


def register(name: str, module: str) -> None:
    """Add a target; ``module`` has a function ``deploy``."""
    _MODULES[name] = module


def deploy_function(name: str) -> Deploy:
    """The ``deploy`` of a target; its package is imported now."""
    return cast("Deploy", import_module(_MODULES[name]).deploy)
