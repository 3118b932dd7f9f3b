"""Renders the description of a container to a workload: Deployment, StatefulSet or Job, and its Service."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from labelspace.container_spec import Service
from labelspace.targets.kubernetes.context import ClusterContext, selector
from labelspace.targets.kubernetes.pods import pod

WAIT_MINUTES = "20m"
Workload = k8s.apps.v1.Deployment | k8s.apps.v1.StatefulSet


def workload(
    service: Service, context: ClusterContext, *, depends_on: Sequence[pulumi.Resource] = ()
) -> Workload:
    """Run a service until the workspace stops; the update waits until it is ready."""
    name = context.resource_name(service.name)
    labels = context.labels(service.name)
    replicas = 1 if context.running else 0
    common = {"replicas": replicas, "selector": {"match_labels": selector(labels)}}
    metadata = context.metadata(service.name, name=service.name)
    template = pod(service, context)
    opts = pulumi.ResourceOptions(
        parent=context.parent,
        depends_on=[*context.created, *depends_on],
        custom_timeouts=pulumi.CustomTimeouts(create=WAIT_MINUTES, update=WAIT_MINUTES),
    )
    if service.is_store:
        stateful = {
            **common,
            "service_name": service.aliases[0],
            "pod_management_policy": "Parallel",  # OrderedReady keeps a pod that never got ready: issue 67250
            "template": template,
        }
        return k8s.apps.v1.StatefulSet(name, metadata=metadata, spec=stateful, opts=opts)
    strategy = {"type": "Recreate"} if service.volumes else {"type": "RollingUpdate"}
    spec = {**common, "strategy": strategy, "template": template}
    return k8s.apps.v1.Deployment(name, metadata=metadata, spec=spec, opts=opts)


def job(
    service: Service, context: ClusterContext, *, depends_on: Sequence[pulumi.Resource]
) -> k8s.batch.v1.Job:
    """Run a one-shot to its end; another exit code than 0 fails the update. A changed one runs again."""
    spec = {
        "backoff_limit": 0,
        "template": pod(service, context, restart="Never"),
    }
    return k8s.batch.v1.Job(
        context.resource_name(service.name),
        metadata=context.metadata(service.name, name=service.name),
        spec=spec,
        opts=pulumi.ResourceOptions(
            parent=context.parent,
            depends_on=[*context.created, *depends_on],
            delete_before_replace=True,
            replace_on_changes=["spec"],
            custom_timeouts=pulumi.CustomTimeouts(create=WAIT_MINUTES),
        ),
    )


def host_names(service: Service, context: ClusterContext) -> list[k8s.core.v1.Service]:
    """The names by which the workspace's other pods reach a service."""
    return [
        k8s.core.v1.Service(
            context.resource_name(f"{alias}-service"),
            metadata={
                **context.metadata(service.name, name=alias),
                "annotations": {"pulumi.com/skipAwait": "true"},  # pods that it leads to start later
            },
            spec={
                "selector": selector(context.labels(service.name)),
                "ports": [{"port": service.port, "target_port": service.port}],
            },
            opts=pulumi.ResourceOptions(parent=context.parent),
        )
        for alias in service.aliases
        if service.port
    ]
