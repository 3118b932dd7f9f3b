"""The status of a workspace on Scaleway, measured by its URL, the API, Object Storage and the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace.targets.scaleway.context import backup_bucket
from labelspace.targets.scaleway.database import DUMP_SECONDS, SNAPSHOT_HOURS
from labelspace_ops.backup import agent
from labelspace_ops.backup import status as measured
from labelspace_ops.backup.models import BackupRow, BackupState, Measured, Proof
from labelspace_ops.core import locks
from labelspace_ops.core.checks import LATE_FACTOR, Check, cvat_health, failed
from labelspace_ops.core.deadlines import WORK_SECONDS, Clock
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.stack.state import Properties
from labelspace_ops.storage import buckets
from labelspace_ops.targets.scaleway import (
    account,
    certificate,
    database_certificate,
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
from labelspace_ops.targets.scaleway.answers import Database, Server, ServerAnswer, Volume
from labelspace_ops.targets.status import BucketStatus, Status, VolumeState

OF_THE_URL = ("health", "certificate")
"""Checks that come first: what people notice."""
PATIENCE_SECONDS = 10
"""For single requests; after it a thread ends that nothing waits for any more."""
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
    results = Measurement() if busy or not outputs else _measure_parts(name, resources, outputs, home)
    return Status.measured(
        name,
        "scaleway",
        outputs,
        results.backup or _newest(results),
        status=busy or _status(outputs, results, should_run=should_run),
        buckets=results.buckets or [BucketStatus.unmeasured(bucket) for bucket in outputs.get("buckets", [])],
        server=results.state or None,
        volume=results.volume,
        certificate_until=results.certificate_until,
        cost=outputs.get("cost", {}),
        checks=sorted(results.checks, key=lambda check: check.name not in OF_THE_URL),
    )


@dataclass
class Measurement:
    """The collected results; each measuring function adds its values and its failed checks."""

    checks: list[Check] = field(default_factory=list)
    buckets: list[BucketStatus] = field(default_factory=list)
    snapshots: list[BackupRow] | None = None
    dumps: list[BackupRow] | None = None
    proof: Proof | None = None
    backup: BackupState | None = None
    server: Server | None = None
    volume: VolumeState | None = None
    certificate_until: str | None = None

    def part(self) -> Measurement:
        """Return a copy for one measurement: what ends after its deadline changes nothing here."""
        return replace(self, checks=[], buckets=[])

    def add(self, part: Measurement) -> None:
        """Take over what a measurement found."""
        self.checks += part.checks
        self.buckets += part.buckets
        for name in ("snapshots", "dumps", "proof", "backup", "server", "volume", "certificate_until"):
            if (value := getattr(part, name)) is not None:
                setattr(self, name, value)

    @property
    def state(self) -> str:
        """The server's state; empty when it was not measured."""
        return self.server.state if self.server else ""

    @property
    def running_since(self) -> str | None:
        """When the server was created; None unless it runs."""
        return self.server.creation_date if self.server and self.state in RUNNING_STATES else None

    def fail(self, name: str, detail: str) -> None:
        """Add a failed check."""
        self.checks.append(failed(name, detail))


def _status(outputs: Properties, results: Measurement, *, should_run: bool) -> str:
    if not outputs:
        return "failed"
    now = results.state
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


def _measure_parts(name: str, resources: retained.Resources, outputs: Properties, home: Home) -> Measurement:
    """Measure the server's state, which says what else can be measured; then the rest side by side."""
    results, clock = Measurement(), Clock()
    try:
        cloud = replace(account.for_workspace(name, home), patience=PATIENCE_SECONDS)
    except OpsError as error:
        results.fail("account", str(error))
        _run_all(results, clock, _url_parts(results, outputs))
        return results
    _run_all(results, clock, [_Part("server", lambda part: _server(part, cloud, resources, outputs))])
    if half_made := import_backup.half_made(name, home):
        results.fail(
            "annotations", f"not yet imported from {half_made}: `labelspace create {name}` continues"
        )
    _run_all(
        results,
        clock,
        [*_url_parts(results, outputs), *_account_parts(cloud, name, resources, outputs, home)],
    )
    return results


@dataclass(frozen=True)
class _Part:
    """One measurement: ``measure`` adds to a ``Measurement`` of its own."""

    name: str
    measure: Callable[[Measurement], None]
    seconds: float | None = None
    """Its deadline; None: as ``Clock.start``."""


def _run_all(results: Measurement, clock: Clock, parts: list[_Part]) -> None:
    """Run measurements side by side; one that does not end before its deadline is a failed check."""

    def run(part: _Part) -> Measurement:
        own = results.part()
        part.measure(own)
        return own

    pending = [(part, clock.start(partial(run, part), part.seconds)) for part in parts]
    for part, one in pending:
        try:
            results.add(one.result())
        except OpsError as error:
            results.fail(part.name, str(error))


def _account_parts(
    cloud: account.Account, name: str, resources: retained.Resources, outputs: Properties, home: Home
) -> list[_Part]:
    """What the account's keys open: the API and Object Storage; backups and mounts also over SSH."""
    copies: tuple[_Part, ...] = (
        _Part("snapshots", lambda part: _snapshots(part, cloud, resources)),
        _Part("dumps", lambda part: _dumps(part, cloud, name, outputs)),
        _Part("database certificate", lambda part: _database_certificate(part, cloud, name, resources)),
    )
    if outputs.get("database") == "server":
        backups = _Part("backups", lambda part: _backups(part, cloud, resources, outputs, home), WORK_SECONDS)
        copies = (backups,)
    return [
        _Part("volume", lambda part: _volume(part, cloud, resources)),
        *copies,
        _Part("orphans", lambda part: _orphans(part, cloud, name, resources, outputs)),
        _Part("mounts", lambda part: _mounts(part, name, home, outputs), WORK_SECONDS),
        *(
            _Part(f"bucket {bucket['name']}", partial(_bucket, cloud=cloud, bucket=bucket, outputs=outputs))
            for bucket in outputs["buckets"]
        ),
    ]


def _url_parts(results: Measurement, outputs: Properties) -> list[_Part]:
    """CVAT's health and the certificate, over the public URL; none while the server does not run."""
    if not outputs.get("running", True) or results.state not in ("", *RUNNING_STATES):
        return []
    return [
        _Part("health", lambda part: part.checks.append(cvat_health(outputs["api_url"])), WORK_SECONDS),
        _Part("certificate", lambda part: _certificate(part, outputs["url"]), WORK_SECONDS),
    ]


def _certificate(results: Measurement, url: str) -> None:
    check, results.certificate_until = certificate.inspect(url)
    results.checks.append(check)


def _server(
    results: Measurement, cloud: account.Account, resources: retained.Resources, outputs: Properties
) -> None:
    """Measure the server's state by the API, which includes changes in Scaleway's console."""
    found = retained.resources_of_type(resources, retained.SERVER)
    next_step = f"`labelspace create {buckets.workspace_name(outputs)}` restores it"
    if not found:
        results.fail("server", f"it does not exist: {next_step}")
        return
    zone, identity = retained.place_and_id(found[0])
    answer = cloud.get_or_none(f"/instance/v1/zones/{zone}/servers/{identity}", ServerAnswer)
    results.server = answer.server if answer else Server(state="gone")
    now = results.server.state
    if outputs["running"] and now not in RUNNING_STATES:
        results.fail(
            "server", f"it is {now}, changed by hand in Scaleway's console or by a fault: {next_step}"
        )
    elif not outputs["running"] and now in RUNNING_STATES:
        results.fail(
            "server",
            f"it is {now} and costs money, but the workspace is stopped:"
            f" `labelspace stop {buckets.workspace_name(outputs)}` stops it",
        )
    else:
        results.checks.append(Check(name="server", ok=True, detail=now))


def _volume(results: Measurement, cloud: account.Account, resources: retained.Resources) -> None:
    for one in retained.resources_of_type(resources, retained.VOLUME):
        zone, identity = retained.place_and_id(one)
        volume = cloud.get_or_none(f"/block/v1/zones/{zone}/volumes/{identity}", Volume)
        if volume is None:
            results.fail("volume", f"data volume {identity} was removed: the files of CVAT on it are lost")
        else:
            used = bool(volume.references)
            results.volume = VolumeState(id=identity, bytes=volume.size, attached=used)


def _snapshots(results: Measurement, cloud: account.Account, resources: retained.Resources) -> None:
    database = database_snapshots.database(resources)
    path = f"{database.path}/instances/{database.id}" if database else ""
    instance = cloud.get_or_none(path, Database) if path else None
    if instance is None:
        results.fail("database", "it was removed: only its snapshots and the dumps are left")
    elif instance.backup_schedule.disabled:
        results.fail(
            "snapshots", "automated snapshots were turned off by hand: the next update turns them on again"
        )
    results.snapshots = formatting.list_snapshots(cloud, database)
    since = instance.created_at if instance else None
    _check_age(results, "snapshot", results.snapshots, since=since, every=SNAPSHOT_HOURS)


def _database_certificate(
    results: Measurement, cloud: account.Account, name: str, resources: retained.Resources
) -> None:
    if database_certificate.is_renewed(cloud, resources):
        results.fail(
            "database certificate",
            "it was renewed at Scaleway, and CVAT cannot reach its database with the earlier one:"
            f" `labelspace create {name}` makes a server that has it",
        )


def _dumps(results: Measurement, cloud: account.Account, name: str, outputs: Properties) -> None:
    """List the dumps; they are late only while the server runs, which makes them."""
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    bucket = backup_bucket(name, cloud.project)
    results.dumps, proofs = formatting.list_dumps(s3, bucket), formatting.list_proofs(s3, bucket)
    _drill(results, proofs[-1] if proofs else None, outputs)
    since = results.running_since
    if since:
        _check_age(results, "dump", results.dumps, since=since, every=DUMP_SECONDS / 3600)


def _drill(results: Measurement, proof: Proof | None, outputs: Properties) -> None:
    """Add the result of the last drill, scheduled or not."""
    if proof is None:
        return
    results.proof = proof
    every = _settings(outputs).get("backup", {}).get("drill_interval_days", 0)
    age = (datetime.now(UTC) - datetime.fromisoformat(proof.when)).days
    if not proof.ok:
        results.fail("drill", f"the last one failed ({proof.backup}): {proof.reason}")
    elif every and age > LATE_FACTOR * every and results.state in RUNNING_STATES:
        results.fail("drill", f"the last is {age} days old, due every {every}")


def _settings(outputs: Properties) -> Properties:
    """Return the settings of the last update."""
    return dict(json.loads(outputs["settings"])) if "settings" in outputs else {}


def _mounts(results: Measurement, name: str, home: Home, outputs: Properties) -> None:
    """Check the bucket mounts over SSH; skip the check when SSH is not allowed."""
    if results.state not in RUNNING_STATES or not server_ssh.ssh_allowed(_settings(outputs)):
        return
    try:
        found = server_ssh.mounts(server_ssh.server_of(name, home))
    except OpsError:
        return
    for bucket, problem in found.items():
        results.fail(f"mount {bucket}", f"{problem} on the server: CVAT does not see its files")


def _backups(
    results: Measurement,
    cloud: account.Account,
    resources: retained.Resources,
    outputs: Properties,
    home: Home,
) -> None:
    """Ask the backup program over SSH if that is allowed, else list the backup bucket."""
    spec = validate(ScalewaySpec, json.loads(outputs["settings"]))
    if spec.scaleway.ssh_cidrs and results.state in RUNNING_STATES:
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
    results: Measurement, cloud: account.Account, spec: ScalewaySpec, outputs: Properties
) -> None:
    where = outputs["backups"]["where"]
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    known, archived = repository.backups(s3, where), repository.last_archived(s3, where)
    last, last_id = _last_complete(known)
    segment, archived_at = archived or (None, None)
    results.backup = BackupState(
        copies=len(known), last=last, last_id=last_id, last_archived=segment, last_archived_at=archived_at
    )
    since = results.running_since
    if since:
        _check_age(results, "backup", known, since=since, every=spec.backup.interval_hours)


def _orphans(
    results: Measurement,
    cloud: account.Account,
    name: str,
    resources: retained.Resources,
    outputs: Properties,
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


def _bucket(results: Measurement, cloud: account.Account, bucket: Properties, outputs: Properties) -> None:
    row = BucketStatus.unmeasured(bucket)
    results.buckets.append(row)
    s3 = cloud.storage(outputs["region"], outputs.get("project", ""))
    row.objects, row.bytes = buckets.size(s3, bucket["name"])
