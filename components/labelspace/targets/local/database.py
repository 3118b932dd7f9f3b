"""The annotation database: PostgreSQL 15 that archives its changes with pgBackRest from the first minute."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pulumi
import pulumi_docker as docker

from labelspace.container_spec import Health
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.given import Given, by_key
from labelspace.outputs import DatabaseAccess
from labelspace.postgres import pgbackrest as backups
from labelspace.postgres.container import ARCHIVED_MARK, service
from labelspace.spec import BackupSpec, Size
from labelspace.targets.local.container import container, volume
from labelspace.targets.local.context import DockerContext
from labelspace.targets.local.image_resources import TIMEOUTS

CHECK_SECONDS = 5
"""Between checks of its health, where an update waits for it."""

PROXY_VARIABLES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
LOOPBACK = r"//([^@/]*@)?(localhost|127\.|\[::1\])"


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations; its volume and its backups outlive the stack.

    ``waits``: until it is healthy. A caller that does not wait must see ``access.archived_mark`` before
    anything is entrusted to it. ``environment``: variables besides those of PostgreSQL.
    """

    access: DatabaseAccess

    def __init__(
        self,
        name: str,
        *,
        context: DockerContext,
        password: pulumi.Input[str],
        given: Given[BackupSpec],
        size: Size = "small",
        running: bool = True,
        files: Mapping[str, pulumi.Resource],
        waits: bool = True,
        environment: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:AnnotationDatabase", name, None, opts)
        image, backup = database_image(context, self), given.known
        data = volume("database", context, parent=self)
        folder = context.machine.path(lambda home: home.backups / context.workspace)
        key = context.machine.backup_key(given)
        ready = pulumi.Output.from_input("")
        if running:
            described = service(
                password,
                _settings(context, given, key),
                backup,
                size=size,
                check_seconds=CHECK_SECONDS if waits else Health.interval,
            )
            ready = container(
                replace(described, environment={**described.environment, **(environment or {})}),
                context,
                image=image.name,
                binds=[context.machine.bind(folder, backups.REPOSITORY)],
                depends_on=[data, image, *files.values()],
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
            backups=backups.policy(location(context, backup), backup),
            ready=ready,
            archived_mark=ARCHIVED_MARK,
        )
        self.register_outputs({"host": DATABASE_ALIAS})


def _settings(
    context: DockerContext, given: Given[BackupSpec], key: pulumi.Output[str]
) -> dict[str, pulumi.Input[str]]:
    """The secret files of its backups."""
    known = pulumi.Output.all(given.map(lambda backup: backup), key)
    files = known.apply(lambda values: backups.secret_files(context.workspace, *values))
    return by_key(files, backups.secret_files(context.workspace, given.known, ""))


def location(context: DockerContext, backup: BackupSpec) -> pulumi.Output[str]:
    """The place of the backups, for people: a folder of the machine, or the URL of a bucket."""
    folder = context.machine.path(lambda home: home.backups / context.workspace)
    return folder.apply(lambda path: backups.location(backup, Path(path), context.workspace))


def _proxies() -> pulumi.Output[dict[str, str]] | None:
    """The proxies for the build, which fetches packages; secret, as a proxy's URL may hold a password.

    Docker knows these arguments and leaves them out of the image (Dockerfile reference, "Predefined ARGs").
    A proxy on this machine's loopback is left out: a build cannot reach it.
    """
    given = {name: os.environ.get(name, "") for name in PROXY_VARIABLES}
    usable = {name: url for name, url in given.items() if url and not re.search(LOOPBACK, url)}
    if not usable:
        return None
    no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return pulumi.Output.secret({**usable, "no_proxy": no_proxy})


def database_image(context: DockerContext, parent: pulumi.Resource) -> docker.RemoteImage:
    """The image, built on this machine."""
    return docker.RemoteImage(
        context.child("database-image"),
        name=context.machine.once_compared(backups.image_name()),
        build=docker.RemoteImageBuildArgs(
            context=str(backups.CONTEXT), use_legacy_builder=True, build_args=_proxies()
        ),
        keep_locally=True,
        opts=pulumi.ResourceOptions(
            parent=parent, ignore_changes=["build"], custom_timeouts=TIMEOUTS
        ),  # the clone's path is not a change
    )
