"""The status of a workspace in a cluster, measured at each call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from labelspace.home import Home
from labelspace_ops.backup import status as backup_status
from labelspace_ops.core import locks
from labelspace_ops.core.checks import Check, cvat_health, failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import APPLICATION, ServiceState
from labelspace_ops.runtime.cluster import ClusterRuntime, Images
from labelspace_ops.stack import state
from labelspace_ops.stack.state import Properties, Resource
from labelspace_ops.storage import buckets, object_store
from labelspace_ops.storage.listing import Storage
from labelspace_ops.targets.status import BucketStatus, Status

PARTS = ("database", "redis", "cache", *APPLICATION)


def measure(name: str, resources: list[Resource], home: Home) -> Status:
    """Measure the workspace; ``resources``: the result of ``state.resources``."""
    outputs, busy = state.stack_outputs(resources), locks.busy(home, name)
    keys = ("namespace", "context", "image_prefix", "image_pull_secret")
    texts = {key: str(outputs.get(key, "")) for key in keys}
    images = Images(texts["image_prefix"], texts["image_pull_secret"])
    runtime = ClusterRuntime.connect(name, texts["namespace"], texts["context"], images)
    stopped = outputs.get("running") is False
    with ThreadPoolExecutor(2) as pool:
        listed = pool.submit(_buckets, outputs)
        backups = pool.submit(backup_status.measure, runtime, home, set(), inactive=stopped, busy=bool(busy))
        checks = [] if stopped else _checks(runtime, outputs)
    backup, backup_checks = backups.result()
    rows, problems = listed.result()
    checks += backup_checks + problems
    return Status.measured(
        name,
        "kubernetes",
        outputs,
        backup,
        status=busy or _status(checks, made=bool(outputs), stopped=stopped),
        buckets=rows,
        checks=checks,
    )


def _status(checks: list[Check], *, made: bool, stopped: bool) -> str:
    if not made:
        return "failed"
    if stopped:
        return "stopped"
    return "ready" if all(check.ok for check in checks) else "degraded"


def _checks(runtime: ClusterRuntime, outputs: Properties) -> list[Check]:
    try:
        services, problems = runtime.services(), runtime.problems()
    except OpsError as error:
        return [failed("cluster", str(error))]
    pods = [_pod_check(part, services.get(part), problems.get(part, "")) for part in PARTS]
    return [*pods, cvat_health(str(outputs["api_url"]))] if outputs else pods


def _pod_check(part: str, found: ServiceState | None, problem: str) -> Check:
    if found is None:
        return failed(part, "no pod: run `labelspace create NAME` again")
    detail = ", ".join(filter(None, (found.state, found.health, problem)))
    return Check(name=part, ok=found.running and found.health == "healthy", detail=detail)


def _buckets(outputs: Properties) -> tuple[list[BucketStatus], list[Check]]:
    rows, checks = [], []
    for bucket in outputs.get("buckets", []):
        row = BucketStatus.unmeasured(bucket)
        try:
            row.objects, row.bytes = _size(outputs, bucket["name"])
        except OpsError as error:
            checks.append(failed(f"bucket {bucket['name']}", str(error)))
        rows.append(row)
    return rows, checks


def _size(outputs: Properties, bucket: str) -> tuple[int, int]:
    """Return the number of objects and their bytes; raises ``OpsError`` when the bucket cannot be read."""
    storage = Storage(
        bucket, lambda: buckets.client(outputs, bucket), object_store.open_store(outputs, bucket)
    )
    sizes = storage.list_objects("", lambda _, size: size)
    return len(sizes), sum(sizes)
