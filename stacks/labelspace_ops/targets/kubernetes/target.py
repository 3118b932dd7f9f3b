"""Target kubernetes: workspaces in a cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from labelspace.spec import Settings
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace_ops.core.checks import Check
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.base import Capability, CreateOptions, Deletion, Target, Update
from labelspace_ops.targets.status import Status

if TYPE_CHECKING:
    from pulumi import automation as auto

    from labelspace.home import Home
    from labelspace_ops.backup.base import Backups


class KubernetesTarget(Target[KubernetesSpec]):
    """A Kubernetes cluster."""

    name: ClassVar[str] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"
    plugins: ClassVar[tuple[str, ...]] = ("pulumi_kubernetes", "pulumi_random")
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.PURGE})
    retention_note: ClassVar[str] = (
        "The volumes of annotations and files stay in the namespace, the backups in their bucket."
    )

    def program(self, *, checked: bool = False, rehearsed: bool = False) -> Callable[[], None]:
        """Return the Pulumi program."""
        from labelspace_ops.labels import program  # noqa: PLC0415

        return partial(program.run)

    def new_values(self, values: Settings, home: Home) -> Settings:
        """Write down the current context, so that a later update goes to the same cluster."""
        from labelspace_ops.targets.kubernetes import cluster  # noqa: PLC0415

        given = dict(values.get("kubernetes") or {})
        return {"kubernetes": {**given, "context": given.get("context") or cluster.current_context()}}

    def begin_update(
        self, spec: KubernetesSpec, home: Home, options: CreateOptions
    ) -> AbstractContextManager[Update[KubernetesSpec]]:
        """Check the cluster, the rights and the classes."""
        from labelspace_ops.targets.kubernetes import lifecycle  # noqa: PLC0415

        return lifecycle.begin_update(spec, options)

    def before_stop(self, stack: auto.Stack, home: Home) -> str:
        """Take a last backup."""
        from labelspace_ops.targets.kubernetes import lifecycle  # noqa: PLC0415

        return lifecycle.before_stop(stack)

    def backups_location(self, name: str, home: Home) -> str:
        """Return the bucket of the workspace's backups."""
        from labelspace_ops.targets.kubernetes import lifecycle  # noqa: PLC0415

        return lifecycle.backups_location(name, home)

    def delete(self, stack: auto.Stack, home: Home, destroy: Callable[[], None], *, purge: bool) -> Deletion:
        """Remove the workloads; claims and backups stay unless purged."""
        from labelspace_ops.targets.kubernetes import lifecycle  # noqa: PLC0415

        return lifecycle.delete(stack, home, destroy, purge=purge)

    def status(self, name: str, resources: list[Resource], home: Home) -> Status:
        """Measure pods, CVAT's health, buckets and backups."""
        from labelspace_ops.targets.kubernetes import status  # noqa: PLC0415

        return status.measure(name, resources, home)

    def backups(self, name: str, home: Home, settings: Settings) -> Backups:
        """Return the backups that pgBackRest makes in the database's pod."""
        from labelspace_ops.targets.kubernetes.backups import ClusterBackups  # noqa: PLC0415

        return ClusterBackups(name, home, settings)

    def preview_notes(self, spec: KubernetesSpec, *, new: bool) -> list[str]:
        """Name cluster, namespace and URL, and who may sign up."""
        where = f"context {spec.kubernetes.context}, namespace {spec.namespace}"
        notes = [f"it goes to {where}; the URL will be {spec.url}"] if new else []
        if spec.registration == "open":
            notes.append(f"everybody who reaches {spec.url} can create an account (registration: open)")
        return notes

    def upgrade_note(self, spec: KubernetesSpec) -> str:
        """Say that an upgrade is not rehearsed."""
        return (
            f"upgrade to CVAT {spec.cvat_version}: first a backup, which is proven; the upgrade is not"
            " rehearsed on this target, and `pulumi up` alone takes no backup"
        )

    def doctor(self, home: Home) -> list[Check]:
        """Check the cluster of the current context."""
        from labelspace_ops.targets.kubernetes import cluster  # noqa: PLC0415

        return cluster.examine()
