"""The status of a workspace on this machine, measured at each call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from docker.models.containers import Container

from labelspace.home import Home
from labelspace_ops.backup import status as backup_status
from labelspace_ops.backup.models import UNKNOWN
from labelspace_ops.core import locks
from labelspace_ops.core.checks import Check, cvat_health, failed
from labelspace_ops.core.deadlines import WORK_SECONDS, Clock, NoAnswerError, check_of
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.names import FEW, printable
from labelspace_ops.cvat import sleep
from labelspace_ops.cvat.sleep import SleepStatus
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import declared, state
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.storage import object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.targets.local import drift, folders, parts, share, tls
from labelspace_ops.targets.status import BucketStatus, Status

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UNREADABLE_SECONDS = 1.0
"""How long `status` looks for files that CVAT cannot read."""
NOT_EXAMINED = share.Unreadable(frozenset(), is_complete=False)
PATIENCE_SECONDS = 10
"""For single requests; after it a thread ends that nothing waits for any more."""


@dataclass(frozen=True)
class _Engine:
    """What the engine says of the workspace."""

    runtime: DockerRuntime
    containers: dict[str, Container]
    disks: set[Path]
    """Folders of the engine and of the backups, whose disks must have space."""


def measure(name: str, resources: list[Resource], home: Home) -> Status:
    """Measure the workspace; ``resources``: the result of ``state.resources``.

    Each measurement has a deadline of its own. Raises ``OpsError`` when no engine is there.
    """
    outputs, busy, clock = state.stack_outputs(resources), locks.busy(home, name), Clock()
    pending = clock.start(lambda: _ask_engine(name, home))
    sleeping = clock.start(lambda: SleepStatus() if busy else sleep.sleep_status(outputs))
    try:
        engine = pending.result()
    except NoAnswerError as error:
        return _without_engine(name, outputs, busy, str(error))
    sleep_status = sleeping.result_or(SleepStatus(), "sleeper", [])
    inactive = "" if busy else _inactive_status(outputs, engine.containers, sleep_status)
    backups = clock.start(
        lambda: backup_status.measure(
            engine.runtime, home, engine.disks, inactive=bool(inactive), busy=bool(busy)
        ),
        WORK_SECONDS,
    )
    certificate = clock.start(lambda: tls.ServedCertificate() if inactive or busy else tls.measure(outputs))
    listed, checks = (
        _measure_inactive(outputs) if inactive else _measure_running(resources, engine, home, clock)
    )
    if not inactive and not busy:
        checks += [
            _drift_check(name, sentence) for sentence in drift.find_drift(resources, engine.containers)
        ]
    served = certificate.result_or(tls.ServedCertificate(), "certificate", checks)
    checks += served.checks
    backup, backup_checks = backups.result_or((UNKNOWN, []), "backups", checks)
    checks += backup_checks
    return Status.measured(
        name,
        str(outputs.get("target", "local")),
        outputs,
        backup,
        since=sleep_status.since if inactive == "asleep" else None,
        status=inactive or _status(busy, engine.containers, checks, made=bool(outputs)),
        buckets=listed,
        certificate_until=served.until,
        warnings=served.warnings or None,
        checks=checks,
    )


def _ask_engine(name: str, home: Home) -> _Engine:
    runtime = DockerRuntime(docker_engine.connect(PATIENCE_SECONDS), name)
    disks = {*docker_engine.data_folders(runtime.client), home.backups / name}
    return _Engine(runtime, runtime.containers(), disks)


def _without_engine(name: str, outputs: Properties, busy: str, reason: str) -> Status:
    """Return the status while the engine hangs: nothing is known of the containers."""
    check = failed("engine", f"Docker engine at {docker_engine.find_endpoint()}: {reason}: restart it")
    listed, _ = _measure_inactive(outputs)
    return Status.measured(
        name, str(outputs.get("target", "local")), outputs, UNKNOWN,
        status=busy or "degraded", buckets=listed, checks=[check],
    )  # fmt: skip


def _inactive_status(
    outputs: Properties, containers: dict[str, Container], sleep_status: sleep.SleepStatus
) -> str:
    """Return ``stopped``, ``deleted`` or ``asleep`` (also while it wakes); empty when it should run."""
    if sleep_status.status in sleep.ASLEEP:
        return "asleep"
    if outputs.get("running") is not False or parts.running(containers):
        return ""
    return "deleted" if outputs.get("deleted") else "stopped"


def _measure_inactive(outputs: Properties) -> tuple[list[BucketStatus], list[Check]]:
    """Return the buckets without sizes, and no checks: nothing runs that could be measured."""
    return [BucketStatus.unmeasured(bucket) for bucket in outputs.get("buckets", [])], []


def _drift_check(name: str, sentence: str) -> Check:
    return failed("drift", f"{sentence}: `{declared.repair_command(name)}` restores it")


def _measure_running(
    resources: list[Resource], engine: _Engine, home: Home, clock: Clock
) -> tuple[list[BucketStatus], list[Check]]:
    outputs = state.stack_outputs(resources)
    counts = [_BucketCount(outputs, bucket, clock) for bucket in outputs.get("buckets", [])]
    health = clock.start(lambda: cvat_health(outputs["api_url"]), WORK_SECONDS) if outputs else None
    unreadable = clock.start(lambda: _find_unreadable(outputs, engine.runtime))
    shared = clock.start(lambda: folders.measure(outputs, engine.runtime, home) if outputs else [])
    checks = _measure_parts(parts.expected(resources), engine.containers, clock)
    if health:
        checks.append(check_of(health, "health"))
    listed = [count.result(checks) for count in counts]
    _add_unreadable(listed, unreadable.result_or(NOT_EXAMINED, "files", []))
    return listed, checks + shared.result_or([], "folders", checks)


def _measure_parts(names: list[str], containers: dict[str, Container], clock: Clock) -> list[Check]:
    """A container that just started runs its own health check, which takes a moment: all run side by side."""
    pending = {part: clock.start(partial(_container_check, part, containers.get(part))) for part in names}
    return [check_of(one, part) for part, one in pending.items()]


def _status(busy: str, containers: dict[str, Container], checks: list[Check], *, made: bool) -> str:
    if busy:
        return busy
    if not made:
        return "failed"
    if all(check.ok for check in checks):
        return "ready"
    return "degraded" if parts.running(containers) else "stopped"


def _container_check(part: str, container: Container | None) -> Check:
    if container is None:
        return failed(part, "no container: run `labelspace create NAME` again")
    health = container.attrs["State"].get("Health", {}).get("Status", "")
    if container.status == "running" and health == "starting":
        health = "healthy" if docker_engine.is_healthy(container) else "not working yet"
    detail = f"{container.status}, {health}" if health else container.status
    ok = container.status == "running" and health in ("", "healthy")
    return Check(name=part, ok=ok, detail=detail)


class _BucketCount:
    """Counts the objects of a bucket. A large bucket takes longer than the deadline: that is no failure.

    A folder of the user's own is not counted: it may be of any size, and on a slow network.
    """

    def __init__(self, outputs: Properties, bucket: dict[str, str], clock: Clock) -> None:
        self._outputs, self._row = outputs, BucketStatus.unmeasured(bucket)
        self._counted = 0
        self._pending = None if self._row.path else clock.start(self._count)

    def _count(self) -> list[int]:
        name = self._row.name
        small = object_store.open_store(self._outputs, name, patience=PATIENCE_SECONDS)
        storage = Storage(name, lambda: _client(self._outputs, name), small)
        return storage.list_objects("", self._add)

    def _add(self, _: str, size: int) -> int:
        self._counted += 1
        return size

    def result(self, checks: list[Check]) -> BucketStatus:
        """Return the bucket; adds a check when it was not counted."""
        name = f"bucket {self._row.name}"
        if self._pending is None:
            return self._row
        try:
            sizes = self._pending.result()
        except OpsError as error:
            answers = isinstance(error, NoAnswerError) and self._counted
            text = f"over {self._counted} objects: counting them takes too long" if answers else str(error)
            checks.append(Check(name=name, ok=bool(answers), detail=text))
        else:
            self._row.objects, self._row.bytes = len(sizes), sum(sizes)
        return self._row


def _find_unreadable(outputs: Properties, runtime: Runtime) -> share.Unreadable:
    """Ask the server for a second; a server that does not run is reported by other checks."""
    names = [bucket["name"] for bucket in outputs.get("buckets", [])]
    try:
        return share.find_unreadable(runtime, names, UNREADABLE_SECONDS)
    except (OpsError, KeyError):
        return NOT_EXAMINED


def _add_unreadable(buckets: list[BucketStatus], found: share.Unreadable) -> None:
    for bucket in buckets:
        keys = sorted(found.keys(bucket.name))
        bucket.unreadable = len(keys)
        bucket.first_unreadable = [printable(key) or "." for key in keys[:FEW]]


def _client(outputs: Properties, bucket: str) -> S3Client:
    from labelspace_ops.storage import buckets  # noqa: PLC0415 - slow to load, seldom needed

    return buckets.client(outputs, bucket, patience=PATIENCE_SECONDS)
