"""The steps of a smoke run, in their order; each raises ``OpsError`` when something is not as it must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.targets.scaleway.answers import Answer, Named, ServerAnswer
from labelspace_ops.targets.scaleway.permissions import OF_THE_ORGANIZATION, OF_THE_PROJECT
from testbed.scaleway_smoke.trial import REGION, Trial

SERVERS = f"/instance/v1/zones/{REGION}-1/servers"
REBOOT_SECONDS = 900


class NewKey(Answer):
    """A new API key."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Step:
    """A step; ``needs_server``: it is left out where no server answers."""

    name: str
    run: Callable[[Trial], str]
    """Return what was seen, as text."""
    needs_server: bool = False


def create_first(trial: Trial) -> str:
    """A workspace with its database on the server."""
    return _create(trial, 0)


def create_second(trial: Trial) -> str:
    """A workspace with a managed database, in the same project and region."""
    return _create(trial, 1)


def _create(trial: Trial, number: int) -> str:
    flags = [f"--set=scaleway.{key}={_text(value)}" for key, value in trial.settings(number).items()]
    measured = trial.labelspace(
        "create", trial.names.workspaces[number], "--target", "scaleway", "--yes",
        "--bucket", trial.names.buckets[number], *flags,
    )  # fmt: skip
    return _ready(trial, measured)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ready(trial: Trial, measured: dict[str, object]) -> str:
    status = str(measured["status"])
    if trial.has_servers and status != "ready":
        raise OpsError(f"{measured['name']} is {status}, not ready: {measured['checks']}")
    return f"{measured['name']} is {status}"


def second_person(trial: Trial) -> str:
    """An application with the permission sets that the documentation names updates the first workspace."""
    name, names, account = trial.names.workspaces[0], trial.names, trial.account
    one = account.post(
        "/iam/v1alpha1/applications",
        {"name": names.colleague, "organization_id": account.organization},
        Named,
    )
    rules = [
        {"permission_set_names": list(OF_THE_PROJECT), "project_ids": [names.project]},
        {"permission_set_names": list(OF_THE_ORGANIZATION), "organization_id": account.organization},
    ]
    policy = {"name": names.colleague, "organization_id": account.organization, "application_id": one.id}
    account.post("/iam/v1alpha1/policies", {**policy, "rules": rules}, Named)
    key = account.post(
        "/iam/v1alpha1/api-keys", {"application_id": one.id, "default_project_id": names.project}, NewKey
    )
    keys = {"SCW_ACCESS_KEY": key.access_key, "SCW_SECRET_KEY": key.secret_key}
    trial.labelspace("set", name, f"scaleway.deployers=application_id:{one.id}", "--yes")
    trial.labelspace("set", name, "scaleway.data_gb=60", "--yes", **keys)
    trial.labelspace("set", name, "scaleway.data_gb=65", "--yes")
    return "both people update the workspace, one after the other"


def backup(trial: Trial) -> str:
    """The managed database: a dump over SSH, or a snapshot."""
    return f"backup {trial.labelspace('backup', trial.names.workspaces[1])['id']}"


def restore(trial: Trial) -> str:
    """The database on the server: a backup, a drill that proves it, a restore to a moment after it."""
    name = trial.names.workspaces[0]
    taken = trial.labelspace("backup", name)["id"]
    _prove(trial, name, taken)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    trial.labelspace("restore", name, "--to", moment, "--yes")
    _wait_until_ready(trial, name)
    return f"backup {taken} proven, restored to {moment}"


def _prove(trial: Trial, name: str, backup_id: str) -> None:
    proof = trial.labelspace("drill", name, "--backup", backup_id)
    if not proof["ok"]:
        raise OpsError(f"{name}: the drill of {backup_id} failed: {proof['reason']}")


def _wait_until_ready(trial: Trial, name: str) -> None:
    if trial.has_servers:
        wait_until(
            lambda: trial.labelspace("status", name)["status"] == "ready",
            timeout=REBOOT_SECONDS, interval=10, on_timeout=f"{name} does not become ready",
        )  # fmt: skip


def server_ids(trial: Trial) -> dict[str, str]:
    """Return the servers of the run's project: id by name."""
    rows = trial.account.list_all(SERVERS, "servers", Named, project=trial.names.project)
    return {one.name: one.id for one in rows}


def _server(trial: Trial) -> str:
    return server_ids(trial)[f"labelspace-{trial.names.workspaces[0]}"]


def reboot(trial: Trial) -> str:
    """Scaleway's own reboot of the first server."""
    identity = _server(trial)
    trial.account.post(f"{SERVERS}/{identity}/action", {"action": "reboot"}, Answer)
    _wait_until_ready(trial, trial.names.workspaces[0])
    return f"server {identity} is back"


def stop_and_start(trial: Trial) -> str:
    """The second workspace: a stopped server is not billed by the hour."""
    name = trial.names.workspaces[1]
    trial.labelspace("stop", name)
    _must_have_state(trial, name, "stopped")
    trial.labelspace("start", name)
    _must_have_state(trial, name, "running")
    _wait_until_ready(trial, name)
    return f"{name} was stopped and runs again"


def _must_have_state(trial: Trial, name: str, state: str) -> None:
    path = f"{SERVERS}/{server_ids(trial)[f'labelspace-{name}']}"
    found = trial.account.get(path, ServerAnswer).server.state
    if found != state:
        raise OpsError(f"{name}: its server is {found}, not {state}")


def replace(trial: Trial) -> str:
    """Another setting replaces the first server; address, data volume and backups stay."""
    name, before = trial.names.workspaces[0], _server(trial)
    trial.labelspace("set", name, "default_role=user", "--yes")
    after = _server(trial)
    if after == before:
        raise OpsError(f"{name}: server {before} was not replaced")
    _wait_until_ready(trial, name)
    return f"server {before} was replaced by {after}"


def backup_after_replacement(trial: Trial) -> str:
    """What the new server holds is what the old one held: a new backup and its drill."""
    name = trial.names.workspaces[0]
    earlier = {row["id"] for row in trial.labelspace("backups", name)["backups"]}
    taken = trial.labelspace("backup", name)["id"]
    _prove(trial, name, taken)
    return f"backup {taken} proven, {len(earlier)} earlier ones are listed"


def delete(trial: Trial) -> str:
    """Both workspaces; what stays of them is removed with the run's project."""
    for name in trial.names.workspaces:
        trial.labelspace("delete", name, "--yes")
    left = server_ids(trial)
    if left:
        raise OpsError(f"servers are left: {', '.join(left)}")
    return "no server is left"


STEPS = (
    Step("create a workspace with its database on the server", create_first),
    Step("create a second workspace with a managed database", create_second),
    Step("a second person updates", second_person),
    Step("back up the managed database", backup),
    Step("back up, prove and restore the database on the server", restore, needs_server=True),
    Step("reboot a server", reboot),
    Step("stop and start", stop_and_start),
    Step("replace a server", replace),
    Step("back up and prove on the new server", backup_after_replacement, needs_server=True),
    Step("delete both workspaces", delete),
)
