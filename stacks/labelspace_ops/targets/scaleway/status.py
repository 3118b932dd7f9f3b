"""The status of a workspace on Scaleway, measured by its URL, the API, Object Storage and the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway.context import backup_bucket
from labelspace.targets.scaleway.database import DUMP_SECONDS, SNAPSHOT_HOURS
from labelspace_ops.backup import agent
from labelspace_ops.backup import status as measured
from labelspace_ops.backup.models import BackupRow, BackupState, Measured, Proof
from labelspace_ops.core import locks
from labelspace_ops.core.checks import LATE_FACTOR, Check, cvat_health, failed
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.storage import buckets
from labelspace_ops.targets.scaleway import (
    account,
    certificate,
    database_snapshots,
    formatting,
    import_backup,
    orphans,
    repository,
    retained,
    server_database,
)
from labelspace_ops.targets.scaleway import (
    ssh as server_ssh,
)
from labelspace_ops.targets.status import BucketStatus, Status, VolumeState

Row = dict[str, Any]
SSH_TIMEOUT_SECONDS = 5
"""Short, because a firewalled port does not answer at all."""
RUNNING_STATES = ("running", "starting")
"""States of an Instance that serves or starts (Scaleway's API)."""


def measure(name: str, resources: retained.Resources, home: Home) -> Status:
    """Measure the workspace.

    ``resources``: the result of ``state.resources``.
    """
    outputs, busy = state.stack_outputs(resources), locks.busy(home, name)
    should_run = bool(outputs.get("running", True))
    results = Measurement() if busy or not outputs else _measure_account(name, resources, outputs, home)
    if not busy and should_run and outputs and results.server.get("state", "running") in RUNNING_STATES:
        _measure_url(results, outputs)
    return Status.measured(
        name,
        "scaleway",
        outputs,
        results.backup or _newest(results),
        status=busy or _status(outputs, results, should_run=should_run),
        buckets=results.buckets or [BucketStatus.unmeasured(bucket) for bucket in outputs.get("buckets", [])],
        server=results.server.get("state"),
        volume=results.volume,
        certificate_until=results.certificate_until,
        cost=outputs.get("cost", {}),
        checks=results.checks,
    )


class Measurement:
    """The collected results; each measuring function adds its values and its failed checks."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.buckets: list[BucketStatus] = []
        self.snapshots: list[BackupRow] | None = None
        self.dumps: list[BackupRow] | None = None
        self.proof: Proof | None = None
        self.backup: BackupState | None = None
        self.server: Row = {}
        self.volume: VolumeState | None = None
        self.certificate_until: str | None = None

    def fail(self, name: str, detail: str) -> None:
        """Add a failed check."""
        self.checks.append(failed(name, detail))


def _status(outputs: Row, results: Measurement, *, should_run: bool) -> str:
    if not outputs:
        return "failed"
    now = str(results.server.get("state", ""))
    if now.startswith("stop") or (not should_run and now not in RUNNING_STATES):
        return "stopped"
    return "ready" if all(check.ok for check in results.checks) else "degraded"


def _newest(results: Measurement) -> BackupState:
    known = [*(results.snapshots or []), *(results.dumps or [])]
    is_measured = results.snapshots is not None and results.dumps is not None
    last, last_id = _last_complete(sorted(known, key=lambda row: row.when))
    copies = len(known) if is_measured else None
    return BackupState(copies=copies, last=last, last_id=last_id, last_archived=None, drill=results.proof)


def _last_complete(rows: list[BackupRow]) -> tuple[str | None, str | None]:
    """Return time and id of the newest complete one of ``rows`` (newest last)."""
    complete = [row for row in rows if row.complete]
    return (complete[-1].when.replace("+00:00", "Z"), complete[-1].id) if complete else (None, None)


def _measure_account(name: str, resources: retained.Resources, outputs: Row, home: Home) -> Measurement:
    results = Measurement()
    try:
        cloud = account.for_workspace(name, home)
    except OpsError as error:
        results.fail("account", str(error))
        return results
    _server(results, cloud, resources, outputs)
    half_made = import_backup.half_made(name, home)
    if half_made:
        results.fail(
            "annotations", f"not yet imported from {half_made}: `labelspace create {name}` continues"
        )
    copies: tuple[tuple[str, Callable[[], None]], ...] = (
        ("snapshots", lambda: _snapshots(results, cloud, resources)),
        ("dumps", lambda: _dumps(results, cloud, name, outputs)),
    )
    if outputs.get("database") == "server":
        copies = (("backups", lambda: _backups(results, cloud, resources, outputs, home)),)
    measurements: tuple[tuple[str, Callable[[], None]], ...] = (
        ("volume", lambda: _volume(results, cloud, resources)),
        *copies,
        ("orphans", lambda: _orphans(results, cloud, name, resources, outputs)),
        ("mounts", lambda: _mounts(results, name, home, outputs)),
        *(
            (f"bucket {one['name']}", lambda one=one: _bucket(results, cloud, one, outputs))
            for one in outputs["buckets"]
        ),
    )
    for kind, measure_one in measurements:
        try:
            measure_one()
        except OpsError as error:
            results.fail(kind, str(error))
    return results


def _measure_url(results: Measurement, outputs: Row) -> None:
    """Measure CVAT's health and the certificate, over the public URL."""
    with ThreadPoolExecutor(2) as pool:
        health = pool.submit(cvat_health, outputs["api_url"], 15)
        certificate_check = pool.submit(certificate.inspect, outputs["url"])
    check, results.certificate_until = certificate_check.result()
    results.checks[:0] = [health.result(), check]


def _server(
    results: Measurement, cloud: account.Account, resources: retained.Resources, outputs: Row
) -> None:
    """Measure the server's state by the API, which includes changes in Scaleway's console."""
    found = retained.resources_of_type(resources, retained.SERVER)
    next_step = f"`labelspace create {buckets.workspace_name(outputs)}` restores it"
    if not found:
        results.fail("server", f"it does not exist: {next_step}")
        return
    zone, _, identity = str(found[0]["id"]).partition("/")
    try:
        answer = cloud.get_or_none(f"/instance/v1/zones/{zone}/servers/{identity}")
    except OpsError as error:
        results.fail("server", str(error))
        return
    results.server = answer["server"] if answer else {"state": "gone"}
    now = str(results.server["state"])
    if outputs["running"] and now not in RUNNING_STATES:
        results.fail(
            "server", f"it is {now}, changed by hand in Scaleway's console or by a fault: {next_step}"
        )
    elif not outputs["running"] and now in RUNNING_STATES:
        results.fail(
            "server",
            f"it is {now} and costs money, but the workspace is stopped: run `labelspace stop` again",
        )
    else:
        results.checks.append(Check(name="server", ok=True, detail=now))


def _volume(results: Measurement, cloud: account.Account, resources: retained.Resources) -> None:
    for one in retained.resources_of_type(resources, retained.VOLUME):
        zone, _, identity = str(one["id"]).partition("/")
        answer = cloud.get_or_none(f"/block/v1/zones/{zone}/volumes/{identity}")
        if answer is None:
            results.fail("volume", f"data volume {identity} was removed: the files of CVAT on it are lost")
        else:
            used = bool(answer["references"])
            results.volume = VolumeState(id=identity, bytes=int(answer["size"]), attached=used)


def _snapshots(results: Measurement, cloud: account.Account, resources: retained.Resources) -> None:
    database = database_snapshots.database(resources)
    instance = cloud.get_or_none(f"{database.path}/instances/{database.id}") if database else None
    if instance is None:
        results.fail("database", "it was removed: only its snapshots and the dumps are left")
    elif instance["backup_schedule"]["disabled"]:
        results.fail(
            "snapshots", "automated snapshots were turned off by hand: the next update turns them on again"
        )
    results.snapshots = formatting.list_snapshots(cloud, database)
    since = instance["created_at"] if instance else None
    _check_age(results, "snapshot", results.snapshots, since=since, every=SNAPSHOT_HOURS)


def _dumps(results: Measurement, cloud: account.Account, name: str, outputs: Row) -> None:
    """List the dumps; they are late only while the server runs, which makes them."""
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    bucket = backup_bucket(name, cloud.project)
    results.dumps, proofs = formatting.list_dumps(s3, bucket), formatting.list_proofs(s3, bucket)
    _drill(results, proofs[-1] if proofs else None, outputs)
    since = results.server.get("creation_date") if results.server.get("state") in RUNNING_STATES else None
    if since:
        _check_age(results, "dump", results.dumps, since=since, every=DUMP_SECONDS / 3600)


def _drill(results: Measurement, proof: Proof | None, outputs: Row) -> None:
    """Add the result of the last drill, scheduled or not."""
    if proof is None:
        return
    results.proof = proof
    every = _settings(outputs).get("backup", {}).get("drill_interval_days", 0)
    age = (datetime.now(UTC) - datetime.fromisoformat(proof.when)).days
    if not proof.ok:
        results.fail("drill", f"the last one failed ({proof.backup}): {proof.reason}")
    elif every and age > LATE_FACTOR * every and results.server.get("state") in RUNNING_STATES:
        results.fail("drill", f"the last is {age} days old, due every {every}")


def _settings(outputs: Row) -> Row:
    """Return the settings of the last update."""
    return dict(json.loads(outputs["settings"])) if "settings" in outputs else {}


def _mounts(results: Measurement, name: str, home: Home, outputs: Row) -> None:
    """Check the bucket mounts over SSH; skip the check when SSH is not allowed."""
    if results.server.get("state") not in RUNNING_STATES or not server_ssh.ssh_allowed(_settings(outputs)):
        return
    try:
        found = server_ssh.mounts(server_ssh.server_of(name, home))
    except OpsError:
        return
    for bucket, problem in found.items():
        results.fail(f"mount {bucket}", f"{problem} on the server: CVAT does not see its files")


def _backups(
    results: Measurement, cloud: account.Account, resources: retained.Resources, outputs: Row, home: Home
) -> None:
    """Ask the backup program over SSH if that is allowed, else list the backup bucket."""
    spec = validate(ScalewaySpec, json.loads(outputs["settings"]))
    if spec.scaleway.ssh_cidrs and results.server.get("state") in RUNNING_STATES:
        try:
            found = _backups_by_ssh(spec, resources, home)
        except server_ssh.UnreachableError:
            pass  # SSH is closed to this machine: list the bucket
        else:
            results.backup = measured.summary(found)
            results.checks += measured.to_checks(spec.name, found)
            return
    _backups_by_bucket(results, cloud, spec, outputs)


def _backups_by_ssh(spec: ScalewaySpec, resources: retained.Resources, home: Home) -> Measured:
    server = server_ssh.connect(spec.name, resources, home, patience=SSH_TIMEOUT_SECONDS)
    with server.engine() as runtime:
        there = server_database.server_repository(spec, resources)
        return agent.parse_state(agent.call_or_run(runtime, there, "state"))


def _backups_by_bucket(
    results: Measurement, cloud: account.Account, spec: ScalewaySpec, outputs: Row
) -> None:
    where = outputs["backups"]["where"]
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    known, archived = repository.backups(s3, where), repository.last_archived(s3, where)
    last, last_id = _last_complete(known)
    segment, archived_at = archived or (None, None)
    results.backup = BackupState(
        copies=len(known), last=last, last_id=last_id, last_archived=segment, last_archived_at=archived_at
    )
    since = results.server.get("creation_date") if results.server.get("state") in RUNNING_STATES else None
    if since:
        _check_age(results, "backup", known, since=since, every=spec.backup.interval_hours)


def _orphans(
    results: Measurement, cloud: account.Account, name: str, resources: retained.Resources, outputs: Row
) -> None:
    project = outputs.get("project") or cloud.project
    managed = outputs.get("database") != "server"
    found = orphans.find(cloud, name, outputs["region"], project, resources, managed=managed)
    if found:
        results.fail(
            "orphans", f"billed, but in no stack: {', '.join(found)}: remove it in Scaleway's console"
        )


def _check_age(
    results: Measurement, kind: str, copies: list[BackupRow], *, since: str | None, every: float
) -> None:
    """Report a copy that is older than its schedule; without a copy, the age since ``since`` counts."""
    complete = [row.when for row in copies if row.complete]
    last = complete[-1] if complete else since
    if last is None:
        return
    age = (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds() / 3600
    if age > LATE_FACTOR * every:
        detail = (
            f"the last {kind} is {age:.0f} h old" if complete else f"there is no {kind} after {age:.0f} h"
        )
        results.fail(f"{kind}s", f"{detail}, due every {every:.0f} h")


def _bucket(results: Measurement, cloud: account.Account, bucket: Row, outputs: Row) -> None:
    row = BucketStatus.unmeasured(bucket)
    results.buckets.append(row)
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    row.objects, row.bytes = buckets.size(s3, bucket["name"])
