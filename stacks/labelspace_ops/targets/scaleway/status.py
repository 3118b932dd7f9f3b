"""The status of a workspace on Scaleway: what its URL, the API, Object Storage and its database say."""

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
from labelspace_ops.core import locks
from labelspace_ops.core.checks import LATE_FACTOR, Check, bucket_row, cvat_health
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

Row = dict[str, Any]
LOOK_SECONDS = 5
"""A port that is closed to this machine does not answer at all."""
ALIVE = ("running", "starting")
"""States of an Instance that serves, or is about to (Scaleway's API)."""


def measure(name: str, resources: retained.Resources, home: Home) -> dict[str, Any]:
    """The status object that scripts rely on; ``resources`` are what the stack knows to exist."""
    outputs, busy = state.stack_outputs(resources), locks.busy(home, name)
    wanted = bool(outputs.get("running", True))
    seen = _Seen() if busy or not outputs else _seen(name, resources, outputs, home)
    if not busy and wanted and outputs and seen.server.get("state", "running") in ALIVE:
        _outside(seen, outputs)
    return {
        "name": name,
        "target": "scaleway",
        "description": outputs.get("description", ""),
        "status": busy or _status(outputs, seen, wanted=wanted),
        "url": outputs.get("url", ""),
        "api_url": outputs.get("api_url", ""),
        "cvat_version": outputs.get("cvat_version", ""),
        "admin_username": outputs.get("admin_username", ""),
        "buckets": seen.buckets or [bucket_row(bucket) for bucket in outputs.get("buckets", [])],
        "backup": {**outputs.get("backups", {}), **(seen.backup or _newest(seen))},
        "server": seen.server.get("state"),
        "volume": seen.volume,
        "certificate_until": seen.certificate_until,
        "cost": outputs.get("cost", {}),
        "checks": seen.checks,
    }


class _Seen:
    """What was looked at; each look adds to it, and a check for what is wrong."""

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self.buckets: list[Row] = []
        self.snapshots: list[Row] | None = None
        self.dumps: list[Row] | None = None
        self.proof: Row | None = None
        self.backup: Row = {}
        self.server: Row = {}
        self.volume: Row | None = None
        self.certificate_until: str | None = None

    def wrong(self, name: str, detail: str) -> None:
        self.checks.append({"name": name, "ok": False, "detail": detail})


def _status(outputs: Row, seen: _Seen, *, wanted: bool) -> str:
    if not outputs:
        return "failed"
    now = str(seen.server.get("state", ""))
    if now.startswith("stop") or (not wanted and now not in ALIVE):
        return "stopped"
    return "ready" if all(check["ok"] for check in seen.checks) else "degraded"


def _newest(seen: _Seen) -> Row:
    known = [*(seen.snapshots or []), *(seen.dumps or [])]
    asked = seen.snapshots is not None and seen.dumps is not None
    whole = sorted((row for row in known if row["complete"]), key=lambda row: str(row["when"]))
    return {
        "copies": len(known) if asked else None,
        "last": whole[-1]["when"].replace("+00:00", "Z") if whole else None,
        "last_id": whole[-1]["id"] if whole else None,
        "last_archived": None,
        "drill": seen.proof,
    }


def _seen(name: str, resources: retained.Resources, outputs: Row, home: Home) -> _Seen:
    seen = _Seen()
    try:
        mine = account.for_workspace(name, home)
    except OpsError as error:
        seen.wrong("account", str(error))
        return seen
    _server(seen, mine, resources, outputs)
    half_made = import_backup.half_made(name, home)
    if half_made:
        seen.wrong("annotations", f"not yet brought from {half_made}: `labelspace create {name}` goes on")
    copied: tuple[tuple[str, Callable[[], None]], ...] = (
        ("snapshots", lambda: _snapshots(seen, mine, resources)),
        ("dumps", lambda: _dumps(seen, mine, name, outputs)),
    )
    if outputs.get("database") == "server":
        copied = (("backups", lambda: _backups(seen, mine, resources, outputs, home)),)
    looks: tuple[tuple[str, Callable[[], None]], ...] = (
        ("volume", lambda: _volume(seen, mine, resources)),
        *copied,
        ("strays", lambda: _strays(seen, mine, name, resources, outputs)),
        ("mounts", lambda: _mounts(seen, name, home, outputs)),
        *(
            (f"bucket {one['name']}", lambda one=one: _bucket(seen, mine, one, outputs))
            for one in outputs["buckets"]
        ),
    )
    for what, look in looks:
        try:
            look()
        except OpsError as error:
            seen.wrong(what, str(error))
    return seen


def _outside(seen: _Seen, outputs: Row) -> None:
    """What a browser meets."""
    with ThreadPoolExecutor(2) as together:
        told = together.submit(cvat_health, outputs["api_url"], 15)
        shown = together.submit(certificate.inspect, outputs["url"])
    check, seen.certificate_until = shown.result()
    seen.checks[:0] = [told.result(), check]


def _server(seen: _Seen, mine: account.Account, resources: retained.Resources, outputs: Row) -> None:
    """Its state by the API, which knows what somebody did in Scaleway's console."""
    found = retained.resources_of_type(resources, retained.SERVER)
    again = f"`labelspace create {buckets.workspace_name(outputs)}` sets it right"
    if not found:
        seen.wrong("server", f"there is none: {again}")
        return
    zone, _, identity = str(found[0]["id"]).partition("/")
    try:
        answer = mine.get_or_none(f"/instance/v1/zones/{zone}/servers/{identity}")
    except OpsError as error:
        seen.wrong("server", str(error))
        return
    seen.server = answer["server"] if answer else {"state": "gone"}
    now = str(seen.server["state"])
    if outputs["running"] and now not in ALIVE:
        seen.wrong("server", f"it is {now}, by hand in Scaleway's console or by a fault: {again}")
    elif not outputs["running"] and now in ALIVE:
        seen.wrong("server", f"it is {now} and costs money, but was told to stop: `labelspace stop`")
    else:
        seen.checks.append({"name": "server", "ok": True, "detail": now})


def _volume(seen: _Seen, mine: account.Account, resources: retained.Resources) -> None:
    for one in retained.resources_of_type(resources, retained.VOLUME):
        zone, _, identity = str(one["id"]).partition("/")
        answer = mine.get_or_none(f"/block/v1/zones/{zone}/volumes/{identity}")
        if answer is None:
            seen.wrong("volume", f"data volume {identity} was removed: what CVAT kept on it is lost")
        else:
            used = bool(answer["references"])
            seen.volume = {"id": identity, "bytes": int(answer["size"]), "attached": used}


def _snapshots(seen: _Seen, mine: account.Account, resources: retained.Resources) -> None:
    database = database_snapshots.database(resources)
    made = mine.get_or_none(f"{database.path}/instances/{database.id}") if database else None
    if made is None:
        seen.wrong("database", "it was removed: only its snapshots and the dumps are left")
    elif made["backup_schedule"]["disabled"]:
        seen.wrong("snapshots", "automated snapshots were turned off by hand: the next update turns them on")
    seen.snapshots = formatting.list_snapshots(mine, database)
    since = made["created_at"] if made else None
    _late(seen, "snapshot", seen.snapshots, since=since, every=SNAPSHOT_HOURS)


def _dumps(seen: _Seen, mine: account.Account, name: str, outputs: Row) -> None:
    """A server that does not run makes none."""
    s3 = mine.storage(outputs["region"], outputs.get("project", ""))
    bucket = backup_bucket(name, mine.project)
    seen.dumps, proofs = formatting.list_dumps(s3, bucket), formatting.list_proofs(s3, bucket)
    _drill(seen, proofs[-1] if proofs else None, outputs)
    since = seen.server.get("creation_date") if seen.server.get("state") in ALIVE else None
    if since:
        _late(seen, "dump", seen.dumps, since=since, every=DUMP_SECONDS / 3600)


def _drill(seen: _Seen, proof: Row | None, outputs: Row) -> None:
    """What the last one found, whoever asked for it."""
    if proof is None:
        return
    seen.proof = proof
    every = _settings(outputs).get("backup", {}).get("drill_interval_days", 0)
    age = (datetime.now(UTC) - datetime.fromisoformat(proof["when"])).days
    if not proof["ok"]:
        seen.wrong("drill", f"the last one failed ({proof['backup']}): {proof['reason']}")
    elif every and age > LATE_FACTOR * every and seen.server.get("state") in ALIVE:
        seen.wrong("drill", f"the last is {age} days old, due every {every}")


def _settings(outputs: Row) -> Row:
    """The wish that the last update was made of."""
    return dict(json.loads(outputs["settings"])) if "settings" in outputs else {}


def _mounts(seen: _Seen, name: str, home: Home, outputs: Row) -> None:
    """Of the inside of the server only what it tells over SSH; where it lets nobody in, nothing is said."""
    if seen.server.get("state") not in ALIVE or not server_ssh.ssh_allowed(_settings(outputs)):
        return
    try:
        found = server_ssh.mounts(server_ssh.server_of(name, home))
    except OpsError:
        return
    for bucket, problem in found.items():
        seen.wrong(f"mount {bucket}", f"{problem} on the server: CVAT lists nothing of it")


def _backups(
    seen: _Seen, mine: account.Account, resources: retained.Resources, outputs: Row, home: Home
) -> None:
    """By the program beside the database where this machine is let in, else by the bucket's names."""
    spec = validate(ScalewaySpec, json.loads(outputs["settings"]))
    if spec.scaleway.ssh_cidrs and seen.server.get("state") in ALIVE:
        try:
            found = _asked(spec, resources, home)
        except server_ssh.UnreachableError:
            pass  # who looks from elsewhere sees what the bucket says
        else:
            seen.backup = measured.summary(found)
            seen.checks += measured.to_checks(found)
            return
    _listed(seen, mine, spec, outputs)


def _asked(spec: ScalewaySpec, resources: retained.Resources, home: Home) -> Row:
    server = server_ssh.connect(spec.name, resources, home, patience=LOOK_SECONDS)
    with server.engine() as client:
        return dict(agent.call_or_run(client, server_database.server_repository(spec, resources), "state"))


def _listed(seen: _Seen, mine: account.Account, spec: ScalewaySpec, outputs: Row) -> None:
    where = outputs["backups"]["where"]
    s3 = mine.storage(outputs["region"], outputs.get("project", ""))
    known, archived = repository.backups(s3, where), repository.last_archived(s3, where)
    whole = [row for row in known if row["complete"]]
    seen.backup = {
        "copies": len(known),
        "last": whole[-1]["when"].replace("+00:00", "Z") if whole else None,
        "last_id": whole[-1]["id"] if whole else None,
        "last_archived": archived[0] if archived else None,
        "last_archived_at": archived[1] if archived else None,
    }
    since = seen.server.get("creation_date") if seen.server.get("state") in ALIVE else None
    if since:
        _late(seen, "backup", known, since=since, every=spec.backup.interval_hours)


def _strays(
    seen: _Seen, mine: account.Account, name: str, resources: retained.Resources, outputs: Row
) -> None:
    project = outputs.get("project") or mine.project
    managed = outputs.get("database") != "server"
    there = orphans.find(mine, name, outputs["region"], project, resources, managed=managed)
    if there:
        seen.wrong("strays", f"paid, and of no stack: {', '.join(there)}: remove it in Scaleway's console")


def _late(seen: _Seen, what: str, copied: list[Row], *, since: str | None, every: float) -> None:
    """A copy that is older than its schedule; before the first, the age of what is copied counts."""
    whole = [row["when"] for row in copied if row["complete"]]
    last = whole[-1] if whole else since
    if last is None:
        return
    age = (datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds() / 3600
    if age > LATE_FACTOR * every:
        said = f"the last {what} is {age:.0f} h old" if whole else f"there is no {what} after {age:.0f} h"
        seen.wrong(f"{what}s", f"{said}, due every {every:.0f} h")


def _bucket(seen: _Seen, mine: account.Account, bucket: Row, outputs: Row) -> None:
    row = bucket_row(bucket)
    seen.buckets.append(row)
    s3 = mine.storage(outputs["region"], outputs.get("project", ""))
    row["objects"], row["bytes"] = buckets.size(s3, bucket["name"])
