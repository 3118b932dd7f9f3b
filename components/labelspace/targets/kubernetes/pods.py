"""Renders the description of a container to the template of a pod."""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as k8s

from labelspace.container_spec import Health, Service
from labelspace.targets.kubernetes.context import ClusterContext, Manifest
from labelspace.targets.kubernetes.names import VOLUMES_LABEL, file_key, one_node
from labelspace.targets.kubernetes.scheduling import scheduling

BUCKETS_CLAIM = "buckets"
SHARE_ROOT = "/home/django/share"
CPU_REQUEST = "50m"
STOP_SECONDS = 30


def pod(service: Service, context: ClusterContext, *, restart: str = "Always") -> Manifest:
    """The pod of a service: its files are keys of a secret, its volumes are claims."""
    files = secret_files(service, context)
    has_volumes = bool(service.volumes or service.reads)
    together = {VOLUMES_LABEL: "true"} if has_volumes else {}
    return {
        "metadata": {"labels": {**context.labels(service.name), **together}},
        "spec": {
            **scheduling(context.settings),
            "affinity": one_node(context.workspace) if has_volumes else None,
            "restart_policy": restart,
            "automount_service_account_token": False,
            "enable_service_links": False,  # their variables begin with CVAT_, as CVAT's own settings do
            "termination_grace_period_seconds": STOP_SECONDS,
            "security_context": _pod_security(service),
            "image_pull_secrets": _pull_secrets(context),
            "containers": [_container(service, context, files)],
            "volumes": _volumes(service, files),
        },
    }


def secret_files(service: Service, context: ClusterContext) -> k8s.core.v1.Secret | None:
    """A service's files. A change makes a new secret of another name, so that the pods are replaced."""
    if not service.files:
        return None
    return k8s.core.v1.Secret(
        context.resource_name(f"{service.name}-files"),
        metadata=context.metadata(service.name),
        string_data={file_key(file.path): file.content for file in service.files},
        immutable=True,
        opts=pulumi.ResourceOptions(parent=context.parent),
    )


def _container(service: Service, context: ClusterContext, files: k8s.core.v1.Secret | None) -> Manifest:
    probes = _probes(service.health) if service.health else {}
    return {
        "name": service.name,
        "image": context.image(service.image),
        "command": list(service.entrypoint) or None,
        "args": list(service.command) or None,
        "env": [{"name": key, "value": value} for key, value in sorted(service.environment.items())],
        "ports": [{"container_port": service.port}] if service.port else None,
        "resources": _resources(service),
        "security_context": _security(service),
        "volume_mounts": [*_mounts(service), *(_file_mounts(service) if files else [])],
        **probes,
    }


def _resources(service: Service) -> Manifest:
    """The limit of memory is the description's; a quarter of it is reserved."""
    return {
        "requests": {"cpu": CPU_REQUEST, "memory": f"{service.memory // 4}Mi"},
        "limits": {"memory": f"{service.memory}Mi"},
    }


def _pod_security(service: Service) -> Manifest:
    """A service without a user of its own starts as root and gives its rights up (PostgreSQL)."""
    profile: Manifest = {"seccomp_profile": {"type": "RuntimeDefault"}}
    if service.user is None:
        return profile
    uid, gid = (int(part) for part in service.user.split(":"))
    group = {"fs_group": gid, "fs_group_change_policy": "OnRootMismatch"}
    return {**profile, "run_as_non_root": True, "run_as_user": uid, "run_as_group": gid, **group}


def _security(service: Service) -> Manifest:
    capabilities = {"drop": ["ALL"], "add": list(service.capabilities) or None}
    return {"allow_privilege_escalation": False, "capabilities": capabilities}


def _pull_secrets(context: ClusterContext) -> list[dict[str, str]] | None:
    name = context.settings.image_pull_secret
    return [{"name": name}] if name else None


def _probes(health: Health) -> Manifest:
    """Unhealthy pods get no requests; as on every target they are not restarted for it."""
    command = list(health.command[1:])
    if health.command[0] == "CMD-SHELL":
        command = ["sh", "-c", *command]
    probe = {"exec_": {"command": command}, "timeout_seconds": health.timeout}
    started = {**probe, "period_seconds": 5, "failure_threshold": 60 + health.start_period // 5}
    ready = {**probe, "period_seconds": health.interval, "failure_threshold": health.retries}
    return {"startup_probe": started, "readiness_probe": ready}


def _mounts(service: Service) -> list[Manifest]:
    volumes = [
        {"name": name, "mount_path": path, "read_only": read_only}
        for named, read_only in ((service.volumes, None), (service.reads, True))
        for name, path in named.items()
    ]
    share = {
        "name": "share",
        "mount_path": SHARE_ROOT,
        "read_only": True,
        "mount_propagation": "HostToContainer",
    }
    return [*volumes, *([share] if service.mounts_share else [])]


def _file_mounts(service: Service) -> list[Manifest]:
    return [
        {"name": "files", "mount_path": file.path, "sub_path": file_key(file.path), "read_only": True}
        for file in service.files
    ]


def _volumes(service: Service, files: k8s.core.v1.Secret | None) -> list[Manifest]:
    claims = {name: name for name in (*service.volumes, *service.reads)}
    if service.mounts_share:
        claims["share"] = BUCKETS_CLAIM
    volumes: list[Manifest] = [
        {"name": name, "persistent_volume_claim": {"claim_name": claim}} for name, claim in claims.items()
    ]
    if files:
        secret = {"secret_name": files.metadata.name, "default_mode": 0o444}
        volumes.append({"name": "files", "secret": secret})
    return volumes
