"""The annotation database: PostgreSQL 15 that archives its changes with pgBackRest from the first minute."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pulumi
import pulumi_docker as docker

from labelspace.contracts import BackupPolicy, DatabaseAccess, File, Health, Service
from labelspace.cvat.services import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.local.container import container, volume
from labelspace.local.place import Place
from labelspace.spec import BackupSpec

CONTEXT = Path(__file__).parent / "images" / "database"
PASSWORD_FILE = "/run/labelspace/database-password"  # noqa: S105 - a path
REPOSITORY = "/var/lib/pgbackrest"
HEALTHY = (
    f"pg_isready -q -U {DATABASE_USER} -d {DATABASE_NAME} -h 127.0.0.1 && test -e /tmp/pgbackrest/in-use"
)
"""It answers, and its archive is in use with a first backup: before that, nothing may be entrusted to it."""
MEMORY = {"small": 1024, "medium": 2048, "large": 4096}


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations; its volume and its backups outlive the stack."""

    access: DatabaseAccess

    def __init__(
        self,
        name: str,
        *,
        place: Place,
        password: pulumi.Input[str],
        backup: BackupSpec,
        size: str = "small",
        running: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:AnnotationDatabase", name, None, opts)
        image = _image(place, self)
        data = volume("database", place, parent=self)
        where = place.home.backups / place.workspace
        ready = pulumi.Output.from_input("")
        if running:
            ready = container(
                _service(password, backup, size),
                place,
                image=image.name,
                binds=[docker.ContainerVolumeArgs(host_path=str(where), container_path=REPOSITORY)],
                depends_on=[data, image],
                wait_healthy=True,
                parent=self,
            ).id
        self.access = DatabaseAccess(
            host=DATABASE_ALIAS,
            port=5432,
            database=DATABASE_NAME,
            user=DATABASE_USER,
            password=pulumi.Output.secret(password),
            ca_certificate=None,
            backups=BackupPolicy(str(where), backup.archive_timeout_seconds, backup.keep_days),
            ready=ready,
        )
        self.register_outputs({"host": DATABASE_ALIAS})


def _image(place: Place, parent: pulumi.Resource) -> docker.RemoteImage:
    """Built on the spot; its name holds its recipe's hash, so that two workspaces share one image."""
    recipe = b"".join(path.read_bytes() for path in sorted(CONTEXT.iterdir()))
    mark = hashlib.sha256(recipe).hexdigest()[:12]
    return docker.RemoteImage(
        f"{place.workspace}-database-image",
        name=f"labelspace-database:15-{mark}",
        build=docker.RemoteImageBuildArgs(context=str(CONTEXT), use_legacy_builder=True),
        keep_locally=True,
        opts=pulumi.ResourceOptions(
            parent=parent, ignore_changes=["build"]
        ),  # the clone's path is not a change
    )


def _service(password: pulumi.Input[str], backup: BackupSpec, size: str) -> Service:
    return Service(
        name="database",
        image="",
        memory=MEMORY[size],
        command=("postgres", *_options(backup)),
        environment={
            "POSTGRES_DB": DATABASE_NAME,
            "POSTGRES_USER": DATABASE_USER,
            "POSTGRES_PASSWORD_FILE": PASSWORD_FILE,
            "POSTGRES_INITDB_ARGS": "--data-checksums",
        },
        volumes={"database": "/var/lib/postgresql/data"},
        files=(
            File(PASSWORD_FILE, pulumi.Output.secret(password)),
            File("/etc/pgbackrest/pgbackrest.conf", _pgbackrest(backup)),
        ),
        aliases=(DATABASE_ALIAS,),
        health=Health(("CMD-SHELL", HEALTHY), interval=5, start_period=300),
        # The entrypoint is root until it gives the folders to postgres and becomes postgres.
        # KILL: init, as root, must be able to tell postgres to end in order.
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    )


def _options(backup: BackupSpec) -> tuple[str, ...]:
    values = {
        "archive_mode": "on",
        "archive_command": "pgbackrest --stanza=main archive-push %p",
        "archive_timeout": f"{backup.archive_timeout_seconds}",
        "wal_level": "replica",
    }
    return tuple(word for key, value in values.items() for word in ("-c", f"{key}={value}"))


def _pgbackrest(backup: BackupSpec) -> str:
    """Source: pgBackRest's configuration reference."""
    return f"""\
[global]
repo1-path={REPOSITORY}
repo1-retention-full-type=time
repo1-retention-full={backup.keep_days}
repo1-bundle=y
start-fast=y
compress-type=zst
log-level-console=info
log-level-file=off
lock-path=/tmp/pgbackrest

[main]
pg1-path=/var/lib/postgresql/data
pg1-user={DATABASE_USER}
pg1-database={DATABASE_NAME}
"""
