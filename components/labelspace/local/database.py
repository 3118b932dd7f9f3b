"""The annotation database: PostgreSQL 15 that archives its changes with pgBackRest from the first minute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
import pulumi_docker as docker

from labelspace.contracts import BackupPolicy, DatabaseAccess, File, Health, Service
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.local import backup as backups
from labelspace.local.container import container, volume
from labelspace.local.place import Place
from labelspace.spec import BackupSpec

PASSWORD_FILE = "/run/labelspace/database-password"  # noqa: S105 - a path
ARCHIVED_MARK = "/tmp/pgbackrest/in-use"  # noqa: S108 - inside the container
"""As in ``labelspace_backup.schedule``."""
HEALTHY = f"pg_isready -q -U {DATABASE_USER} -d {DATABASE_NAME} -h 127.0.0.1 && test -e {ARCHIVED_MARK}"
"""It answers, and its archive is in use with a first backup: before that, nothing may be entrusted to it."""
CHECK_SECONDS = 5
"""Between checks of its health, where an update waits for it."""
MEMORY = {"small": 1024, "medium": 2048, "large": 4096}


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations; its volume and its backups outlive the stack.

    ``waits``: until it is healthy. Whoever does not wait must see ``access.archived_mark`` before anything is
    entrusted to it.
    """

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
        files: Mapping[str, docker.Volume] | None = None,
        waits: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:AnnotationDatabase", name, None, opts)
        image = _image(place, self)
        data = volume("database", place, parent=self)
        folder = place.home.backups / place.workspace
        ready = pulumi.Output.from_input("")
        if running:
            ready = container(
                _service(place, password, backup, size, CHECK_SECONDS if waits else Health.interval),
                place,
                image=image.name,
                binds=[_repository(folder), *_files(files or {})],
                depends_on=[data, image, *(files or {}).values()],
                wait_healthy=waits,
                parent=self,
            ).id
        self.access = DatabaseAccess(
            host=DATABASE_ALIAS,
            port=5432,
            database=DATABASE_NAME,
            user=DATABASE_USER,
            password=pulumi.Output.secret(password),
            ca_certificate=None,
            backups=BackupPolicy(
                backups.where(backup, folder, place.workspace),
                backup.archive_timeout_seconds,
                backup.keep_days,
            ),
            ready=ready,
            archived_mark=ARCHIVED_MARK,
        )
        self.register_outputs({"host": DATABASE_ALIAS})


def _repository(folder: Path) -> docker.ContainerVolumeArgs:
    return docker.ContainerVolumeArgs(host_path=str(folder), container_path=backups.REPOSITORY)


def _files(volumes: Mapping[str, docker.Volume]) -> list[docker.ContainerVolumeArgs]:
    """CVAT's files, to read: they are backed up with the database that names them."""
    return [
        docker.ContainerVolumeArgs(
            volume_name=volumes[name].name, container_path=backups.FILE_VOLUMES[name], read_only=True
        )
        for name in backups.FILE_VOLUMES
        if name in volumes
    ]


def _image(place: Place, parent: pulumi.Resource) -> docker.RemoteImage:
    """Built on the spot."""
    return docker.RemoteImage(
        f"{place.workspace}-database-image",
        name=backups.image_name(),
        build=docker.RemoteImageBuildArgs(context=str(backups.CONTEXT), use_legacy_builder=True),
        keep_locally=True,
        opts=pulumi.ResourceOptions(
            parent=parent, ignore_changes=["build"]
        ),  # the clone's path is not a change
    )


def _service(
    place: Place, password: pulumi.Input[str], backup: BackupSpec, size: str, check_seconds: int
) -> Service:
    key = place.home.made_backup_key(place.workspace)
    secret_files = {PASSWORD_FILE: password, **backups.files(place.workspace, backup, key)}
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
        volumes={"database": backups.DATA},
        files=tuple(File(path, pulumi.Output.secret(text)) for path, text in secret_files.items()),
        aliases=(DATABASE_ALIAS,),
        health=Health(("CMD-SHELL", HEALTHY), interval=check_seconds, start_period=300),
        # The entrypoint is root until it gives the folders to postgres and becomes postgres.
        # KILL: init, as root, must be able to tell postgres to end in order.
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    )


def _options(backup: BackupSpec) -> tuple[str, ...]:
    values = {
        "archive_mode": "on",
        "archive_command": "nice -n 5 pgbackrest --stanza=main archive-push %p",
        "archive_timeout": f"{backup.archive_timeout_seconds}",
        "wal_level": "replica",
    }
    return tuple(word for key, value in values.items() for word in ("-c", f"{key}={value}"))
