"""The status of a workspace on this machine: measured when asked, never stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
from docker.models.containers import Container

from labelspace.home import Home
from labelspace_ops.backup import status as backup_status
from labelspace_ops.core import locks
from labelspace_ops.core.checks import Check, bucket_row, cvat_health
from labelspace_ops.core.errors import OpsError
from labelspace_ops.cvat import sleep
from labelspace_ops.runtime import docker_engine
from labelspace_ops.stack import state
from labelspace_ops.storage import object_store
from labelspace_ops.targets.local import drift

LONG_LIVED = (
    *("database", "backup", "redis", "cache", "opa", "server"),
    *("worker", "worker-chunks", "ui", "proxy", "gateway"),
)


def measure(
    name: str, resources: list[dict[str, Any]], client: docker.DockerClient, home: Home
) -> dict[str, Any]:
    """The status object that scripts rely on; ``resources`` are what the stack knows to exist."""
    outputs = state.stack_outputs(resources)
    mine = docker_engine.containers(client, name)
    busy = locks.busy(home, name)
    said = {} if busy else sleep.sleep_status(outputs)
    resting = "" if busy else _resting(outputs, mine, said)
    with ThreadPoolExecutor(1) as beside:
        copies = beside.submit(
            backup_status.measure, client, name, home, at_rest=bool(resting), busy=bool(busy)
        )
        listed, checks = _at_rest(outputs) if resting else _at_work(outputs, mine)
    if not resting and not busy:
        checks += [_by_hand(sentence) for sentence in drift.find_drift(resources, mine)]
    backup, reasons = copies.result()
    checks += reasons
    return {
        "name": name,
        "target": outputs.get("target", "local"),
        "description": outputs.get("description", ""),
        "since": said.get("since") if resting == "asleep" else None,
        "status": resting or _status(busy, mine, checks, made=bool(outputs)),
        "url": outputs.get("url", ""),
        "api_url": outputs.get("api_url", ""),
        "cvat_version": outputs.get("cvat_version", ""),
        "admin_username": outputs.get("admin_username", ""),
        "buckets": listed,
        "backup": {**outputs.get("backups", {}), **backup},
        "checks": checks,
    }


def _resting(outputs: dict[str, Any], mine: dict[str, Container], said: dict[str, Any]) -> str:
    """``stopped`` or ``deleted`` as configured, ``asleep`` also while it wakes; empty when it should run."""
    if said.get("status") in sleep.ASLEEP:
        return "asleep"
    if outputs.get("running") is not False or _running(mine):
        return ""
    return "deleted" if outputs.get("deleted") else "stopped"


def _running(mine: dict[str, Container]) -> list[str]:
    return [part for part, one in mine.items() if part in LONG_LIVED and one.status == "running"]


def _at_rest(outputs: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Check]]:
    """Nothing is asked of what does not run."""
    return [bucket_row(bucket) for bucket in outputs.get("buckets", [])], []


def _by_hand(sentence: str) -> Check:
    return {"name": "drift", "ok": False, "detail": f"{sentence}: `labelspace create` sets it right"}


def _at_work(outputs: dict[str, Any], mine: dict[str, Container]) -> tuple[list[dict[str, Any]], list[Check]]:
    mounts = sorted(part for part in mine if part.startswith("mount-"))
    sleeper = ["sleeper"] if outputs.get("sleep_after_minutes") else []
    absent = "database" if outputs.get("database") == "external" else "backup"
    parts = [part for part in (*LONG_LIVED, *mounts, *sleeper) if part != absent]
    with ThreadPoolExecutor(len(parts)) as together:  # right after a start, each is asked by its own check
        checks = list(together.map(lambda part: _container(part, mine.get(part)), parts))
    if outputs:
        checks.append(cvat_health(outputs["api_url"]))
    listed, problems = _buckets(outputs)
    return listed, checks + problems


def _status(busy: str, mine: dict[str, Container], checks: list[Check], *, made: bool) -> str:
    if busy:
        return busy
    if not made:
        return "failed"
    if all(check["ok"] for check in checks):
        return "ready"
    return "degraded" if _running(mine) else "stopped"


def _container(part: str, one: Container | None) -> Check:
    if one is None:
        return {"name": part, "ok": False, "detail": "no container: run `labelspace create` again"}
    health = one.attrs["State"].get("Health", {}).get("Status", "")
    if one.status == "running" and health == "starting":
        health = "healthy" if docker_engine.is_healthy(one) else "not working yet"
    detail = f"{one.status}, {health}" if health else one.status
    return {"name": part, "ok": one.status == "running" and health in ("", "healthy"), "detail": detail}


def _buckets(outputs: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Check]]:
    listed, checks = [], []
    for bucket in outputs.get("buckets", []):
        row = bucket_row(bucket)
        try:
            row["objects"], row["bytes"] = _size(outputs, bucket["name"])
        except OpsError as error:
            checks.append({"name": f"bucket {bucket['name']}", "ok": False, "detail": str(error)})
        listed.append(row)
    return listed, checks


def _size(outputs: dict[str, Any], bucket: str) -> tuple[int, int]:
    """Objects and bytes; raises ``OpsError`` when the bucket cannot be read."""
    try:
        if small := object_store.open_store(outputs, bucket):
            sizes = [size for _, size in object_store.list_objects(small)]
            return len(sizes), sum(sizes)
    except object_store.REFUSED:
        pass  # boto3 lists it, or says why it cannot be listed
    from labelspace_ops.storage import buckets  # noqa: PLC0415 - heavy, and seldom needed

    return buckets.size(buckets.client(outputs, bucket), bucket)
