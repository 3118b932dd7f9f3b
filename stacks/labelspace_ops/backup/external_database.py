"""Checks a database that the user brings, from the containers' network, before anything is made."""

from __future__ import annotations

from labelspace.home import Home
from labelspace.spec import ExternalDatabaseSpec, SpecError, WorkspaceSpec, parse_spec
from labelspace_ops.backup import agent
from labelspace_ops.backup.retained import has_resources
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.runtime.base import Runtime
from labelspace_ops.stack import automation, state

HINTS = {
    "password authentication failed": "password: give the role's own (PGPASSWORD)",
    "certificate verify failed": "ca_certificate: give the authority that signed the server's certificate",
    "does not match host name": "host: give the name that the certificate has, or sslmode verify-ca",
    "server does not support SSL": "sslmode: the server offers no TLS: turn it on",
    "could not translate host name": "host: containers cannot resolve it: give its full name or address",
    "no pg_hba.conf entry": "user: allow the role in the server's pg_hba.conf, over TLS",
    "Connection refused": "port: nothing listens there: give the server's port",
    "timeout expired": "host: no answer: open the server's firewall to this machine",
    "No route to host": "host: no answer: open the server's firewall to this machine",
    "does not exist": "name: create the database and the role first",
}
"""The field and the next step by what libpq says."""


def check(runtime: Runtime, spec: WorkspaceSpec, home: Home, *, reuse_data: bool) -> None:
    """Raise ``UsageError`` unless the workspace can use its external database; nothing is changed.

    A container connects as CVAT's containers will: from a network that reaches no other container.
    """
    _check_same_kind(spec, home)
    database = spec.external_database
    if database is None:
        return
    folder = home.backups / spec.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with runtime.network("check") as network:
            source = agent.Repository(
                spec.name, str(folder), spec.backup, "", network=network, database=database
            )
            found = agent.run(runtime, source, "check-database")
    except OpsError as error:
        raise UsageError(_explain(database, str(error))) from None
    _check_owner(database, spec.name, found["workspace"], found["tables"])
    made = has_resources(spec.name, home) and state.outputs(spec.name, home)
    if made and not found["tables"]:
        raise OpsError(
            f"external_database: {database.location} is empty, and the annotations of {spec.name} were in it:"
            f" bring it back on its server, or from a backup: `labelspace restore {spec.name}`"
        )
    if found["workspace"] and not reuse_data and not has_resources(spec.name, home):
        raise UsageError(
            f"external_database: {database.location} holds the annotations of an earlier workspace"
            f" {spec.name}: `labelspace create {spec.name} --reuse-data` uses them; or give an empty database"
        )


def _check_owner(database: ExternalDatabaseSpec, name: str, owner: str, tables: int) -> None:
    if owner not in ("", name):
        raise UsageError(
            f"external_database: {database.location} belongs to workspace {owner}: give each workspace a"
            " database of its own"
        )
    if tables and not owner:
        raise UsageError(
            f"external_database: {database.location} is not empty ({tables} tables): give an empty database"
        )


def _explain(database: ExternalDatabaseSpec, reason: str) -> str:
    reason = reason.rpartition("psql: error: ")[2]
    step = next((hint for sign, hint in HINTS.items() if sign in reason), "")
    field = f"external_database.{step}" if step else "see the server's log"
    return f"external_database: {database.location} cannot be used: {reason}: {field}"


def _check_same_kind(spec: WorkspaceSpec, home: Home) -> None:
    """Annotations do not move between databases by themselves."""
    if not has_resources(spec.name, home):
        return
    try:
        old = parse_spec(automation.read_settings(automation.select(spec.name, home)))
    except SpecError:
        return
    if bool(old.external_database) != bool(spec.external_database):
        had = "a database of its own" if spec.external_database else "an external database"
        raise UsageError(
            f"external_database: {spec.name} has {had}, and annotations do not move from one to the other:"
            " make another workspace from a backup, or leave it as it is"
        )
