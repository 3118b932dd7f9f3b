"""Checks of this machine before anything is created."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from docker.models.containers import Container

from labelspace.home import Home
from labelspace.spec import BucketSpec, LocalSpec
from labelspace.targets.local.context import addresses
from labelspace_ops.core import disk
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.runtime.engine_info import EngineInfo
from labelspace_ops.storage import buckets
from labelspace_ops.targets.local import bucket_folders, own_folders, tls

SYSTEMD = Path("/run/systemd/system")
"""A folder that is there when systemd runs (sd_booted(3))."""
LEAST_FREE_BYTES = 5 * 2**30
MOST_USED_PERCENT = 88
"""CVAT's health fails at 90 % (CVAT_HEALTH_DISK_USAGE_MAX)."""


def check(
    spec: LocalSpec, runtime: DockerRuntime, home: Home, *, known: bool, reuse_data: bool = False
) -> None:
    """Raise ``OpsError`` for an unfit engine, a taken name or port, a full disk or an unreadable bucket.

    ``known``: the workspace has a state. ``reuse_data``: what an earlier workspace of the name left is used.
    """
    docker_engine.check_version(runtime.client)
    engine = docker_engine.engine_info(runtime.client)
    check_engine(engine)
    check_support(spec, engine)
    containers = runtime.containers()
    if not known:
        _check_owner(spec.name, containers, home, reuse_data=reuse_data)
    for field, part, port in _ports(spec):
        if not _is_own_port(containers, part, port):
            for address in addresses(spec.bind_address, on_loopback=part == "proxy" and spec.tls is not None):
                _check_port(spec, field, address, port, known=known)
    tls.check(spec)
    bucket_folders.check(spec, home)
    own_folders.check(spec, home)
    check_disk(docker_engine.data_folders(runtime.client), home)
    for index, bucket in enumerate(spec.buckets):
        if bucket.endpoint:
            _check_bucket(f"buckets.{index}", bucket)
            _check_mount_propagation(home)


def _check_owner(name: str, containers: dict[str, Container], home: Home, *, reuse_data: bool) -> None:
    """Refuse containers of another home; those of this home, without a state, only with ``reuse_data``."""
    left = {part: one for part, one in containers.items() if part != "restore"}  # of a killed --from-backup
    if left and not _are_of(home, left):
        raise UsageError(
            f"name: {name!r} is taken: this engine runs containers of a workspace of that name whose"
            f" state is not under {home.root}. Choose another name, or set LABELSPACE_HOME to its home"
        )
    if left and not reuse_data:
        raise UsageError(
            f"name: the state of {name!r} is gone, and {len(left)} of its containers are there:"
            f" `labelspace create {name} --reuse-data` shows what is left and uses it; nothing is lost"
        )


def _are_of(home: Home, containers: dict[str, Container]) -> bool:
    """Return whether containers mount folders of this home: its backups or its buckets."""
    folders = [
        Path(mount["Source"]) for one in containers.values() for mount in one.attrs.get("Mounts") or []
        if mount.get("Type") == "bind"
    ]  # fmt: skip
    return any(folder.is_relative_to(home.root) for folder in folders)


def _ports(spec: LocalSpec) -> list[tuple[str, str, int]]:
    """Each setting that is a port of this machine, with the part that listens there."""
    https = [("tls.port", "proxy", spec.tls.port)] if spec.tls else []
    return [("port", "proxy", spec.port), ("s3_port", "gateway", spec.s3_port), *https]


def check_engine(engine: EngineInfo) -> None:
    """Refuse an engine on another machine: folders are bound and ports published on the engine's machine."""
    if engine.endpoint.is_remote:
        raise OpsError(
            f"Docker engine: {engine.endpoint} is another machine: target local needs an engine of this one:"
            " unset DOCKER_HOST, or `docker context use default`"
        )


def check_support(spec: LocalSpec, engine: EngineInfo) -> None:
    """Refuse settings that the engine cannot serve."""
    remote = [f"buckets.{index}" for index, bucket in enumerate(spec.buckets) if bucket.endpoint]
    if remote and not engine.shares_mounts:
        raise UsageError(
            f"{remote[0]}: a remote bucket cannot be mounted with {engine}: its containers share no mounts:"
            " use Docker that runs as root on Linux, or copy the files into a bucket of this machine"
            f" (`labelspace upload {spec.name} FOLDER`)"
        )
    for field in [*remote, *(["sleep_after_minutes"] if spec.sleep_after_minutes else [])]:
        _check_health_checks(field, engine)
    if spec.sleep_after_minutes and not engine.serves_containers:
        raise UsageError(
            f"sleep_after_minutes: {spec.sleep_after_minutes} is refused: the sleeper needs an engine with"
            f" cgroups and a socket that containers may use, not {engine}: leave it out, or use 0"
        )


def _check_health_checks(field: str, engine: EngineInfo) -> None:
    """Refuse what waits for a container's health where Podman has no systemd to measure it."""
    if engine.product == "Podman" and not SYSTEMD.exists():
        raise UsageError(
            f"{field}: Podman measures containers' health by systemd, which does not run here: leave it out,"
            " or use Docker"
        )


def _check_bucket(field: str, bucket: BucketSpec) -> None:
    """List a remote bucket once: with wrong keys CVAT would show an empty share."""
    keys = [key.get_secret_value() if key else "" for key in (bucket.access_key, bucket.secret_key)]
    try:
        s3 = buckets.connect(str(bucket.endpoint), bucket.region, *keys)
        s3.list_objects_v2(Bucket=bucket.name, MaxKeys=1)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UsageError(
            f"{field}: {bucket.name!r} at {bucket.endpoint} cannot be listed ({reason(error)}): check name,"
            " endpoint, region and keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        ) from None


def _check_mount_propagation(home: Home) -> None:
    """Refuse a file system without shared mount propagation: CVAT would not see a remote bucket.

    Shared is the default where systemd starts the machine (mount_namespaces(7)).
    """
    mountinfo = Path("/proc/self/mountinfo")
    if not mountinfo.exists():
        return
    rows = [line.split() for line in mountinfo.read_text().splitlines()]
    enclosing = [row for row in rows if home.root.is_relative_to(row[4])]
    if not any(word.startswith("shared:") for word in max(enclosing, key=lambda row: len(row[4]))[6:]):
        raise OpsError(
            f"mounts: the file system of {home.root} does not propagate mounts, so CVAT would not see a"
            " remote bucket: run `mount --make-rshared /` as root, then try again"
        )


def _is_own_port(containers: dict[str, Container], part: str, port: int) -> bool:
    container = containers.get(part)
    bindings = (container.attrs["HostConfig"]["PortBindings"] or {}) if container else {}
    return any(str(port) == binding["HostPort"] for host in bindings.values() for binding in host or [])


def _other_port(spec: LocalSpec, field: str, bind_address: str, port: int, *, known: bool) -> str:
    """The command that takes a free port: ``start`` has no flag for it.

    The workspace's other ports are free while it does not run, and two of them must differ.
    """
    name, own = spec.name, {taken for _, _, taken in _ports(spec)}
    free = free_port(bind_address, port + 1, own)
    if known:
        return f"end the program that uses it, or choose another: `labelspace set {name} {field}={free}`"
    if field == "s3_port":
        return f"choose another: `labelspace create {name} --s3-port {free}`"
    if field == "tls.port":
        return f"choose another: `labelspace create {name} --set tls.port={free}`"
    return f"choose another: `labelspace create {name} --port {free}`"


def _check_port(spec: LocalSpec, field: str, bind_address: str, port: int, *, known: bool) -> None:
    problem = listening_problem(bind_address, port)
    if problem == errno.EADDRINUSE:
        raise UsageError(
            f"{field}: {port} is in use on {bind_address}:"
            f" {_other_port(spec, field, bind_address, port, known=known)}"
        )
    if problem:
        raise UsageError(
            f"bind_address: {bind_address!r} is not an address of this machine: see `ip address`"
        )


def listening_problem(bind_address: str, port: int) -> int:
    """Return 0 when ``bind_address:port`` is free, else the error number of ``bind``."""
    family = socket.AF_INET6 if ":" in bind_address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind_address, port))
        except OSError as error:
            return error.errno or errno.EINVAL
    return 0


def free_port(bind_address: str, first: int, taken: set[int]) -> int:
    """Return the first free port of 500 from ``first`` on; raises ``OpsError`` when there is none."""
    for port in range(first, first + 500):
        if port not in taken and not listening_problem(bind_address, port):
            return port
    raise OpsError(f"no free port between {first} and {first + 500} on {bind_address}: give one (--port)")


def check_disk(docker_data: Iterable[Path], home: Home) -> None:
    """Raise ``OpsError`` when the disk of Docker or of the home is too full for CVAT's health check."""
    for path, percent, free in disk.usage((*docker_data, home.root)):
        if free < LEAST_FREE_BYTES or percent > MOST_USED_PERCENT:
            raise OpsError(
                f"disk: {path} has {free / 2**30:.1f} GiB free, {percent:.0f} % used; a workspace"
                f" needs {LEAST_FREE_BYTES / 2**30:.0f} GiB and at most {MOST_USED_PERCENT} %: free some"
                " space (`docker system df` shows what Docker uses)"
            )
