"""An annotation database that the user brings: this target makes only the container of its backups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from labelspace.given import Given, by_key
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
        spec: Given[ExternalDatabaseSpec],
        context: DockerContext,
        given: Given[BackupSpec],
        running: bool,
        files: Mapping[str, pulumi.Resource],
        environment: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:ExternalDatabase", name, None, opts)
        backup = given.known
        folder = context.machine.path(lambda home: home.backups / context.workspace)
        where, key = own.location(context, backup), context.machine.backup_key(given)
        image = own.database_image(context, self)
        if running:
            described = external.service(_settings(context, given, key, spec))
            container(
                replace(described, environment=environment or {}),
                context,
                image=image.name,
                binds=[context.machine.bind(folder, pgbackrest.REPOSITORY)],
                depends_on=[image, *files.values()],
                parent=self,
            )
        self.access = DatabaseAccess(
            host=spec.value("host"),
            port=spec.known.port,
            database=spec.value("name"),
            user=spec.value("user"),
            password=pulumi.Output.secret(spec.map(lambda one: one.password.get_secret_value())),
            ca_certificate=spec.value("ca_certificate"),
            backups=BackupPolicy(where, f"a dump every {backup.interval_hours} h", backup.retention_days),
            ready=pulumi.Output.from_input(spec.map(lambda one: one.location)),
        )
        self.register_outputs({"host": self.access.host})


def _settings(
    context: DockerContext,
    given: Given[BackupSpec],
    key: pulumi.Output[str],
    spec: Given[ExternalDatabaseSpec],
) -> dict[str, pulumi.Input[str]]:
    """The secret files of its backups and of its connection."""
    workspace = context.workspace
    known = pulumi.Output.all(given.map(lambda one: one), key, spec.map(lambda one: one))
    files = known.apply(lambda values: external.secret_files(workspace, *values))
    return by_key(files, external.secret_files(workspace, given.known, "", spec.known))
