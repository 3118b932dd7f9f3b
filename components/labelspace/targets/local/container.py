"""Turns the description of a container into Docker's, with the rules that all of them share."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_docker as docker

from labelspace import outputs
from labelspace.container_spec import LOG_LIMIT, File, Health, Service
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace.outputs import FolderShare, OwnFolderShare, RemoteShare
from labelspace.targets.local import own_folder, podman
from labelspace.targets.local.context import DockerContext, addresses
from labelspace.targets.local.image_resources import TIMEOUTS
from labelspace.targets.local.machine import Facts, Machine

Share = dict[str, outputs.Share]
"""Dataset buckets by name."""
Volume = pulumi.Input[docker.ContainerVolumeArgs]

SHARE_ROOT = "/home/django/share"
WAIT_SECONDS = 600
STOP_SECONDS = 30
"""Seconds between SIGTERM and SIGKILL when a container stops; databases need them to write their data."""

FILES_LOST = 4
"""As in ``migrate.py``: its exit code when a volume is not the one that the database knows."""


def container(
    service: Service,
    context: DockerContext,
    *,
    share: Share | None = None,
    binds: list[Volume] | None = None,
    mounts: list[docker.ContainerMountArgs] | None = None,
    tmpfs: dict[str, str] | None = None,
    depends_on: list[pulumi.Resource] | None = None,
    triggers: list[pulumi.Input[str]] | None = None,
    parent: pulumi.Resource,
    image: pulumi.Input[str] | None = None,
    wait_healthy: bool = False,
) -> docker.Container:
    """Run ``service`` in ``context``; a changed ``triggers`` value replaces it.

    A one-shot is waited for; everything else comes back whatever ends it.
    """
    machine = context.machine
    mounted = [*_share_root(service, share or {}), *_own_folders(service, share or {}), *(mounts or [])]
    unlabeled = service.holds_socket or bool(mounted)
    return docker.Container(
        context.child(service.name),
        name=context.named(service.name),
        image=_image(image or service.image, machine),
        command=list(service.command) or None,
        entrypoints=list(service.entrypoint) or None,
        envs=_environment(service),
        user=service.user,
        memory=service.memory,
        memory_swap=service.memory,  # no swap; left out, the engine doubles it and every refresh sees drift
        volumes=[*_volumes(service, context), *_share(service, share or {}, machine), *(binds or [])],
        mounts=mounted or None,
        tmpfs=tmpfs,
        devices=_devices(service),
        uploads=[_upload(file) for file in service.files],
        networks_advanced=_networks(service, context),
        network_mode="none" if service.offline else None,
        ports=_ports(service, context),
        healthcheck=_health(service.health),
        capabilities=_capabilities(service, machine),
        security_opts=machine.facts.apply(lambda facts: _security(service, facts, unlabeled=unlabeled)),
        log_driver="json-file",
        log_opts=machine.facts.apply(lambda facts: None if facts.podman else LOG_LIMIT),
        labels=_labels(service, context, triggers),
        init=True,
        wait=wait_healthy,
        wait_timeout=WAIT_SECONDS if wait_healthy else None,
        destroy_grace_seconds=STOP_SECONDS,
        attach=service.one_shot,
        must_run=not service.one_shot and (service.stays_awake or not context.sleeps),
        restart=service.restart,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=depends_on,
            custom_timeouts=TIMEOUTS,
            delete_before_replace=True,
            replace_on_changes=["healthcheck"],
        ),
    )


def wait_for_success(one_shot: docker.Container, context: DockerContext, part: str) -> pulumi.Output[str]:
    """The container's id once it exits with 0. Another exit code fails the update and names the log."""

    def check(values: list[object]) -> str:
        code, identity = values
        if code == FILES_LOST:
            raise pulumi.RunError(
                f"{context.workspace}: the volumes of CVAT's files are empty or belong to another workspace:"
                f" `labelspace restore {context.workspace}` brings the files back"
            )
        if code not in (0, None):
            name = context.named(part)
            raise pulumi.RunError(
                f"{name} ended with {code}: see why with `docker logs {name}`. When that is mended,"
                f" `labelspace create {context.workspace}` goes on, or `docker rm {name}`"
                " and `pulumi up --refresh`."
            )
        return str(identity)

    return pulumi.Output.all(one_shot.exit_code, one_shot.id).apply(check)


def _environment(service: Service) -> list[pulumi.Input[str]]:
    variables = {**service.environment, **service.late_environment}
    return [
        f"{key}={value}" if isinstance(value, str) else pulumi.Output.concat(f"{key}=", value)
        for key, value in sorted(variables.items())
    ]


def _volumes(service: Service, context: DockerContext) -> list[Volume]:
    return [
        docker.ContainerVolumeArgs(volume_name=context.named(name), container_path=path, read_only=read_only)
        for volumes, read_only in ((service.volumes, None), (service.reads, True))
        for name, path in volumes.items()
    ]


def _share(service: Service, share: Share, machine: Machine) -> list[Volume]:
    """Every dataset bucket under CVAT's share, read-only: CVAT never needs to write there."""
    if not service.mounts_share:
        return []
    return [
        machine.bind(one.path, f"{SHARE_ROOT}/{name}", read_only=True)
        for name, one in share.items()
        if isinstance(one, FolderShare)
    ]


def _own_folders(service: Service, share: Share) -> list[docker.ContainerMountArgs]:
    if not service.mounts_share:
        return []
    return [
        own_folder.mount(one.path, f"{SHARE_ROOT}/{name}")
        for name, one in share.items()
        if isinstance(one, OwnFolderShare)
    ]


def _share_root(service: Service, share: Share) -> list[docker.ContainerMountArgs]:
    """With a remote bucket, bind the parent folder of all buckets: later mounts then reach the container."""
    roots = [one.root for one in share.values() if isinstance(one, RemoteShare)][:1]  # all have the same
    if not service.mounts_share:
        return []
    return [
        docker.ContainerMountArgs(
            type="bind",
            source=root,
            target=SHARE_ROOT,
            read_only=True,
            bind_options=docker.ContainerMountBindOptionsArgs(propagation="rslave"),
        )
        for root in roots
    ]


def _devices(service: Service) -> list[docker.ContainerDeviceArgs] | None:
    if not service.mounts_file_systems:
        return None
    return [docker.ContainerDeviceArgs(host_path="/dev/fuse", container_path="/dev/fuse", permissions="rwm")]


def _security(service: Service, facts: Facts, *, unlabeled: bool) -> list[str]:
    """AppArmor's profile for containers forbids every mount.

    ``unlabeled``: SELinux would refuse what is not relabelled: the engine's socket, a FUSE mount, a folder of
    the user's own.
    """
    mounting = ["apparmor:unconfined"] if service.mounts_file_systems else []
    free = ["label:disable"] if unlabeled and facts.selinux else []
    return [*mounting, *free, "no-new-privileges"]


def _upload(file: File) -> docker.ContainerUploadArgs:
    return docker.ContainerUploadArgs(file=file.path, content=file.content, permissions="0444")


def _networks(service: Service, context: DockerContext) -> list[docker.ContainerNetworksAdvancedArgs] | None:
    if service.offline:
        return None
    return [docker.ContainerNetworksAdvancedArgs(name=context.network, aliases=list(service.aliases))]


def _ports(service: Service, context: DockerContext) -> list[docker.ContainerPortArgs] | None:
    ports = [
        docker.ContainerPortArgs(internal=inside, external=outside, ip=address)
        for inside, outside in service.publishes
        for address in addresses(context.bind_address, on_loopback=service.publishes_on_loopback)
    ]
    return ports or None


def _health(health: Health | None) -> docker.ContainerHealthcheckArgs | None:
    if health is None:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=list(health.command),
        interval=_duration(health.interval),
        timeout=_duration(health.timeout),
        retries=health.retries,
        start_period=_duration(health.start_period),
    )


def _duration(seconds: int) -> str:
    """As the engine writes it back: anything else would be drift."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _capabilities(service: Service, machine: Machine) -> pulumi.Output[docker.ContainerCapabilitiesArgs]:
    adds = [f"CAP_{name}" for name in service.capabilities]
    usual = docker.ContainerCapabilitiesArgs(drops=["ALL"], adds=adds)
    return machine.facts.apply(
        lambda facts: podman.capabilities(service.capabilities) if facts.podman else usual
    )


def _image(name: pulumi.Input[str], machine: Machine) -> pulumi.Output[str]:
    def full(values: list[Any]) -> str:
        facts, image = values
        return podman.full_name(image) if facts.podman else image

    return pulumi.Output.all(machine.facts, name).apply(full)


def _labels(
    service: Service, context: DockerContext, triggers: list[pulumi.Input[str]] | None
) -> list[docker.ContainerLabelArgs]:
    labels: dict[str, pulumi.Input[str]] = {WORKSPACE_LABEL: context.workspace, PART_LABEL: service.name}
    if triggers:
        labels["labelspace.follows"] = pulumi.Output.all(*triggers).apply(
            lambda values: ",".join(str(value)[:12] for value in values)
        )
    return [docker.ContainerLabelArgs(label=key, value=value) for key, value in labels.items()]


def create_context(
    parent: pulumi.Resource,
    prefix: str,
    workspace: str,
    bind_address: str,
    *,
    part: str = "",
    sleeps: bool = False,
) -> DockerContext:
    """Create the Docker network and return its context. ``part`` distinguishes networks of one name."""
    machine = Machine(parent, prefix, workspace)
    network = docker.Network(
        f"{prefix}-network",
        name=machine.once_compared("-".join(filter(None, ("labelspace", workspace, part)))),
        labels=[docker.NetworkLabelArgs(label=WORKSPACE_LABEL, value=workspace)],
        # Podman adds options of its own, which would replace the network at each update.
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["ipamOptions"]),
    )
    return DockerContext(workspace, prefix, network.name, bind_address, machine, sleeps=sleeps)


def volume(name: str, context: DockerContext, *, parent: pulumi.Resource, keep: bool = True) -> docker.Volume:
    """A named volume; with ``keep`` it outlives the stack, as what users made must."""
    return docker.Volume(
        context.child(name),
        name=context.machine.once_compared(context.named(name)),
        labels=[
            docker.VolumeLabelArgs(label=WORKSPACE_LABEL, value=context.workspace),
            docker.VolumeLabelArgs(label=PART_LABEL, value=name),
        ],
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=keep),
    )
