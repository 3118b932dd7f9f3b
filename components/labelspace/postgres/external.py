"""An external database: its connection for CVAT and for the backup program, and the container of backups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pulumi

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.postgres import pgbackrest
from labelspace.postgres.container import ARCHIVED_MARK
from labelspace.spec import BackupSpec, ExternalDatabaseSpec

SERVICE_FILE = "/run/labelspace/pg_service.conf"
"""As in ``labelspace_backup.client_container``."""
DATABASE_CA_FILE = "/run/labelspace/database-ca.pem"
PART = "backup"
"""The container that dumps the database on the schedule."""


def secret_files(
    workspace: str, backup: BackupSpec, key: str, database: ExternalDatabaseSpec
) -> dict[str, str]:
    """The files of the backup program by their path in the container; they hold secrets."""
    settings = pgbackrest.settings(workspace, backup, key)
    settings |= {
        "engine": "logical",
        "user": DATABASE_USER,  # of scratch databases
        "database": DATABASE_NAME,
        "workspace": workspace,
        "retention_days": backup.retention_days,
    }
    files = {pgbackrest.SETTINGS_FILE: json.dumps(settings), SERVICE_FILE: _service_file(database)}
    if backup.bucket and backup.bucket.ca_certificate:
        files[pgbackrest.CA_FILE] = backup.bucket.ca_certificate
    if database.ca_certificate:
        files[DATABASE_CA_FILE] = database.ca_certificate
    return files


def _service_file(database: ExternalDatabaseSpec) -> str:
    """Source: PostgreSQL's documentation, "The Connection Service File"."""
    values = {
        "host": database.host,
        "port": database.port,
        "dbname": database.name,
        "user": database.user,
        "password": database.password.get_secret_value(),
        "connect_timeout": 10,
        "sslmode": database.sslmode,
        **({} if database.sslmode == "disable" else {"sslrootcert": _authority(database)}),
    }
    return "".join(
        f"{line}\n" for line in ("[workspace]", *(f"{key}={value}" for key, value in values.items()))
    )


def _authority(database: ExternalDatabaseSpec) -> str:
    return DATABASE_CA_FILE if database.ca_certificate else pgbackrest.AUTHORITIES


def service(files: Mapping[str, pulumi.Input[str]]) -> Service:
    """The container that dumps the database on the schedule, drills the dumps and restores them."""
    return Service(
        name=PART,
        image=pgbackrest.image_name(),
        memory=1024,
        entrypoint=("python3", "-m", "labelspace_backup"),
        command=("keep",),
        reads=pgbackrest.FILE_VOLUMES,
        files=tuple(File(path, pulumi.Output.secret(text)) for path, text in files.items()),
        health=Health(("CMD-SHELL", f"test -e {ARCHIVED_MARK}"), start_period=300),
        # It is root for restic and the dump, and becomes postgres for scratch servers.
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    )


def access(database: ExternalDatabaseSpec) -> dict[str, str]:
    """The variables of CVAT's containers that differ from a database in the workspace; no secret."""
    variables = {
        "CVAT_POSTGRES_HOST": database.host,
        "CVAT_POSTGRES_PORT": str(database.port),
        "CVAT_POSTGRES_DBNAME": database.name,
        "CVAT_POSTGRES_USER": database.user,
        "PGSSLMODE": database.sslmode,
    }
    return (
        variables if database.sslmode == "disable" else {**variables, "PGSSLROOTCERT": _authority(database)}
    )


def connect(services: Mapping[str, Service], database: ExternalDatabaseSpec | None) -> dict[str, Service]:
    """CVAT's containers, connected to the external database; unchanged for None."""
    return {name: _connect(one, database) if database else one for name, one in services.items()}


def _connect(service: Service, database: ExternalDatabaseSpec) -> Service:
    if "CVAT_POSTGRES_HOST" not in service.environment:
        return service
    authority = database.ca_certificate
    files = (File(DATABASE_CA_FILE, pulumi.Output.from_input(authority)),) if authority else ()
    environment = {**service.environment, **access(database)}
    return replace(service, environment=environment, files=(*service.files, *files))
