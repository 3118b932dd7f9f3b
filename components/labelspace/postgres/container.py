"""The database's container: it archives its changes with pgBackRest from the first minute."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from labelspace.container_spec import File, Health, Service
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.postgres import pgbackrest as backups
from labelspace.spec import BackupSpec, Size

PASSWORD_FILE = "/run/labelspace/database-password"  # noqa: S105 - a path
ARCHIVED_MARK = "/tmp/pgbackrest/in-use"  # noqa: S108 - inside the container
"""As in ``labelspace_backup.schedule``."""
HEALTHY = f"pg_isready -q -U {DATABASE_USER} -d {DATABASE_NAME} -h 127.0.0.1 && test -e {ARCHIVED_MARK}"
"""It answers, and its archive has a first backup: before that, a loss could not be restored."""
ARCHIVE = "/usr/local/bin/pgbackrest-archive.sh"
MEMORY: Mapping[Size, int] = {"small": 1024, "medium": 2048, "large": 4096}


def service(
    password: pulumi.Input[str],
    settings: Mapping[str, pulumi.Input[str]],
    backup: BackupSpec,
    *,
    size: Size,
    check_seconds: int = Health.interval,
) -> Service:
    """The container; ``settings``: the files of its backups, as ``pgbackrest.secret_files`` makes them."""
    secret_files = {PASSWORD_FILE: password, **settings}
    return Service(
        name="database",
        image=backups.image_name(),
        memory=MEMORY[size],
        command=("postgres", *_options(backup)),
        environment={
            "POSTGRES_DB": DATABASE_NAME,
            "POSTGRES_USER": DATABASE_USER,
            "POSTGRES_PASSWORD_FILE": PASSWORD_FILE,
            "POSTGRES_INITDB_ARGS": "--data-checksums",
        },
        volumes={"database": backups.DATA},
        is_store=True,
        reads=backups.FILE_VOLUMES,
        files=tuple(File(path, pulumi.Output.secret(text)) for path, text in secret_files.items()),
        aliases=(DATABASE_ALIAS,),
        port=5432,
        health=Health(("CMD-SHELL", HEALTHY), interval=check_seconds, start_period=300),
        # The entrypoint is root until it gives the folders to postgres and becomes postgres.
        # KILL: init, as root, must be able to tell postgres to end in order.
        capabilities=("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"),
    )


def _options(backup: BackupSpec) -> tuple[str, ...]:
    values = {
        "archive_mode": "on",
        "archive_command": f"bash {ARCHIVE} %p {backup.max_unarchived_mb}",
        "archive_timeout": f"{backup.archive_timeout_seconds}",
        "wal_level": "replica",
    }
    return tuple(word for key, value in values.items() for word in ("-c", f"{key}={value}"))
