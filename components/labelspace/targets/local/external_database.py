"""An annotation database that the user brings: this target makes only the container of its backups."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from labelspace.outputs import BackupPolicy, DatabaseAccess
from labelspace.postgres import external, pgbackrest
from labelspace.spec import BackupSpec, ExternalDatabaseSpec
from labelspace.targets.local import database as own
from labelspace.targets.local.container import container
from labelspace.targets.local.context import DockerContext


class ExternalDatabase(pulumi.ComponentResource):
    """The connection to the database, and the container that backs it up; the database itself is not made."""

    access: DatabaseAccess

    def __init__(
        self,
        name: str,
        *,
        spec: ExternalDatabaseSpec,
        context: DockerContext,
        backup: BackupSpec,
        running: bool,
        files: Mapping[str, docker.Volume],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:ExternalDatabase", name, None, opts)
        folder = context.machine.path(lambda home: home.backups / context.workspace)
        where = own.location(context, backup)
        key = context.machine.backup_key(backup)
        image = own.database_image(context, self)
        if running:
            files_of_backup = own.secret_files(
                key, lambda key: external.secret_files(context.workspace, backup, key, spec)
            )
            container(
                external.service(files_of_backup),
                context,
                image=image.name,
                binds=[context.machine.bind(folder, pgbackrest.REPOSITORY)],
                depends_on=[image, *files.values()],
                parent=self,
            )
        self.access = DatabaseAccess(
            host=spec.host,
            port=spec.port,
            database=spec.name,
            user=spec.user,
            password=pulumi.Output.secret(spec.password.get_secret_value()),
            ca_certificate=spec.ca_certificate,
            backups=BackupPolicy(where, f"a dump every {backup.interval_hours} h", backup.retention_days),
            ready=pulumi.Output.from_input(spec.location),
        )
        self.register_outputs({"host": spec.host})
