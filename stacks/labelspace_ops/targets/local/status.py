"""The status of a workspace on this machine, measured at each call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from docker.models.containers import Container

from labelspace.home import Home
from labelspace_ops.backup import status as backup_status
from labelspace_ops.core import locks
from labelspace_ops.core.checks import Check, cvat_health, failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat import sleep
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import state
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.storage import object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.targets.local import drift
from labelspace_ops.targets.local.bucket_folders import known_folders
from labelspace_ops.targets.status import BucketStatus, Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONG_LIVED = (
    *("database", "backup", "redis", "cache", "opa", "server"),
    *("worker", "worker-chunks", "ui", "proxy", "gateway"),
)


def measure(resources: list[Resource], runtime: DockerRuntime, home: Home) -> Status:
    """Measure the workspace; ``resources``: the result of ``state.resources``."""
    outputs, name = state.stack_outputs(resources), runtime.workspace
    containers = runtime.containers()
    busy = locks.busy(home, name)
    sleep_status = sleep.SleepStatus() if busy else sleep.sleep_status(outputs)
    inactive = "" if busy else _inactive_status(outputs, containers, sleep_status)
    disks = {*docker_engine.data_folders(runtime.client), home.backups / name}
    with ThreadPoolExecutor(1) as pool:
        backups = pool.submit(
            backup_status.measure, runtime, home, disks, inactive=bool(inactive), busy=bool(busy)
        )
        listed, checks = (
            _measure_inactive(outputs) if inactive else _measure_running(outputs, runtime, containers, home)
        )
    if not inactive and not busy:
        checks += [_drift_check(sentence) for sentence in drift.find_drift(resources, containers)]
    backup, backup_checks = backups.result()
    checks += backup_checks
    return Status.measured(
        name,
        str(outputs.get("target", "local")),
        outputs,
        backup,
        since=sleep_status.since if inactive == "asleep" else None,
        status=inactive or _status(busy, containers, checks, made=bool(outputs)),
        buckets=listed,
        checks=checks,
    )


def _inactive_status(
    outputs: Properties, containers: dict[str, Container], sleep_status: sleep.SleepStatus
) -> str:
    """Return ``stopped``, ``deleted`` or ``asleep`` (also while it wakes); empty when it should run."""
    if sleep_status.status in sleep.ASLEEP:
        return "asleep"
    if outputs.get("running") is not False or _running(containers):
        return ""
    return "deleted" if outputs.get("deleted") else "stopped"


def _running(containers: dict[str, Container]) -> list[str]:
    return [
        part for part, container in containers.items() if part in LONG_LIVED and container.status == "running"
    ]


def _measure_inactive(outputs: Properties) -> tuple[list[BucketStatus], list[Check]]:
    """Return the buckets without sizes, and no checks: nothing runs that could be measured."""
    return [BucketStatus.unmeasured(bucket) for bucket in outputs.get("buckets", [])], []


def _drift_check(sentence: str) -> Check:
    return failed("drift", f"{sentence}: `labelspace create` restores it")


def _measure_running(
    outputs: Properties, runtime: DockerRuntime, containers: dict[str, Container], home: Home
) -> tuple[list[BucketStatus], list[Check]]:
    mounts = sorted(part for part in containers if part.startswith("mount-"))
    sleeper = ["sleeper"] if outputs.get("sleep_after_minutes") else []
    notifier = ["notifier"] if "notifier" in containers else []
    absent = "database" if outputs.get("database") == "external" else "backup"
    parts = [part for part in (*LONG_LIVED, *mounts, *sleeper, *notifier) if part != absent]
    with ThreadPoolExecutor(len(parts)) as pool:  # a container that just started runs its own health check
        checks = list(pool.map(lambda part: _container_check(part, containers.get(part)), parts))
    if outputs:
        checks.append(cvat_health(outputs["api_url"]))
    listed, problems = _measure_buckets(outputs)
    folders = _measure_folders(outputs, runtime, home) if "gateway" in _running(containers) else []
    return listed, checks + problems + folders


def _status(busy: str, containers: dict[str, Container], checks: list[Check], *, made: bool) -> str:
    if busy:
        return busy
    if not made:
        return "failed"
    if all(check.ok for check in checks):
        return "ready"
    return "degraded" if _running(containers) else "stopped"


def _container_check(part: str, container: Container | None) -> Check:
    if container is None:
        return failed(part, "no container: run `labelspace create` again")
    health = container.attrs["State"].get("Health", {}).get("Status", "")
    if container.status == "running" and health == "starting":
        health = "healthy" if docker_engine.is_healthy(container) else "not working yet"
    detail = f"{container.status}, {health}" if health else container.status
    ok = container.status == "running" and health in ("", "healthy")
    return Check(name=part, ok=ok, detail=detail)


def _measure_buckets(outputs: Properties) -> tuple[list[BucketStatus], list[Check]]:
    listed, checks = [], []
    for bucket in outputs.get("buckets", []):
        row = BucketStatus.unmeasured(bucket)
        try:
            row.objects, row.bytes = _size(outputs, bucket["name"])
        except OpsError as error:
            checks.append(failed(f"bucket {bucket['name']}", str(error)))
        listed.append(row)
    return listed, checks


def _measure_folders(outputs: Properties, runtime: Runtime, home: Home) -> list[Check]:
    """Return a failed check for each bucket whose folder was removed, or mounted over, since the start."""
    local = {bucket["name"] for bucket in outputs.get("buckets", [])} & known_folders(home)
    problems = {name: _folder_problem(runtime, home.buckets / name) for name in sorted(local)}
    return [
        failed(
            f"bucket {name}",
            f"{problem}: bring {home.buckets / name} back, then `labelspace stop {runtime.workspace}` and"
            f" `labelspace start {runtime.workspace}`",
        )
        for name, problem in problems.items()
        if problem
    ]


def _folder_problem(runtime: Runtime, folder: Path) -> str:
    """Compare inodes: a container keeps the folder that was there when it started."""
    if not folder.exists():
        return "its folder is gone"
    inside = runtime.exec("gateway", ["stat", "-c", "%i", f"/buckets/{folder.name}"])
    if inside.exit_code == 0 and inside.output.strip() != str(folder.stat().st_ino):
        return "its folder is not the one that CVAT sees (removed, mounted or unmounted since the start)"
    return ""


def _size(outputs: Properties, bucket: str) -> tuple[int, int]:
    """Return the number of objects and their bytes; raises ``OpsError`` when the bucket cannot be read."""
    storage = Storage(bucket, lambda: _client(outputs, bucket), object_store.open_store(outputs, bucket))
    sizes = storage.list_objects("", lambda _, size: size)
    return len(sizes), sum(sizes)


def _client(outputs: Properties, bucket: str) -> S3Client:
    from labelspace_ops.storage import buckets  # noqa: PLC0415 - slow to load, seldom needed

    return buckets.client(outputs, bucket)
