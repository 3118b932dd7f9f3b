"""The backups of a workspace in a cluster: made in the database's pod, restored by a pod of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from labelspace.spec import validate
from labelspace.spec.kubernetes import KubernetesSpec
from labelspace.targets.kubernetes.scheduling import scheduling
from labelspace.targets.kubernetes.volumes import sizes
from labelspace_ops.backup import agent, restore
from labelspace_ops.backup.base import AgentBackups, RestorePoint
from labelspace_ops.backup.models import Restored
from labelspace_ops.core import locks
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.runtime.cluster import ClusterRuntime, Images


def runtime_of(spec: KubernetesSpec) -> ClusterRuntime:
    """The workspace's runtime."""
    settings = spec.kubernetes
    images = Images(settings.image_prefix, settings.image_pull_secret or "")
    placed = scheduling(settings)
    return ClusterRuntime.connect(spec.name, spec.namespace, settings.context or "", images, placed)


class ClusterBackups(AgentBackups):
    """Backups in a cluster."""

    @property
    def spec(self) -> KubernetesSpec:
        """The workspace's settings."""
        return validate(KubernetesSpec, self.settings)

    @contextmanager
    def reached(self) -> Iterator[tuple[Runtime, agent.Repository]]:
        """Connect to the cluster."""
        yield runtime_of(self.spec), agent.repository_for(self.spec, self.home)

    def restore(self, choice: RestorePoint) -> Restored:
        """Scale the workspace to zero, restore its volumes in a pod, and start it again.

        A volume that is gone is made first.
        """
        settings = self.spec.kubernetes
        runtime_of(self.spec).make_claims(sizes(settings), settings.storage_class)
        with locks.hold(self.home, self.name, "restoring"), self.reached() as (runtime, source):
            start = partial(restore.start_services, runtime) if self.spec.running else None
            return restore.restore_with_version(
                runtime, source, self.spec.cvat_version, to=choice.to, backup=choice.backup, start=start
            )
