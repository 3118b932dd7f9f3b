"""The annotation database: PostgreSQL 15 that archives its changes with pgBackRest from the first minute."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
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
from labelspace.targets.local.container import bind_folder, container, volume
from labelspace.targets.local.context import DockerContext
from labelspace.targets.local.image_resources import TIMEOUTS

CHECK_SECONDS = 5
"""Between checks of its health, where an update waits for it."""

PROXY_VARIABLES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
LOOPBACK = r"//([^@/]*@)?(localhost|127\.|\[::1\])"


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations; its volume and its backups outlive the stack.

    ``waits``: until it is healthy. A caller that does not wait must see ``access.archived_mark`` before
    anything is entrusted to it.
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:local:AnnotationDatabase", name, None, opts)
        image, backup = database_image(context, self), given.known
        data = volume("database", context, parent=self)
        folder = context.home.backups / context.workspace
        ready = pulumi.Output.from_input("")
        if running:
            settings = _settings(context, given)
            ready = container(
                service(
                    password,
                    settings,
                    backup,
                    size=size,
                    check_seconds=CHECK_SECONDS if waits else Health.interval,
                ),
                context,
                image=image.name,
                binds=[repository_bind(folder)],
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
            backups=backups.policy(backups.location(backup, folder, context.workspace), backup),
            ready=ready,
            archived_mark=ARCHIVED_MARK,
        )
        self.register_outputs({"host": DATABASE_ALIAS})


def _settings(context: DockerContext, given: Given[BackupSpec]) -> dict[str, pulumi.Input[str]]:
    """The secret files of its backups."""

    def files(backup: BackupSpec) -> dict[str, str]:
        return backups.secret_files(context.workspace, backup, encryption_key(context, backup))

    return by_key(given.map(files), backups.secret_files(context.workspace, given.known, ""))


def encryption_key(context: DockerContext, backup: BackupSpec) -> str:
    """Encrypts the backups. It is kept on this machine, where a recovery kit finds it, also a given one."""
    given = backup.encryption_key.get_secret_value() if backup.encryption_key else ""
    try:
        return context.home.made_backup_key(context.workspace, given)
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None


def repository_bind(folder: Path) -> docker.ContainerVolumeArgs:
    """The folder of backups, in the container."""
    return bind_folder(folder, backups.REPOSITORY)


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
        name=backups.image_name(),
        build=docker.RemoteImageBuildArgs(
            context=str(backups.CONTEXT), use_legacy_builder=True, build_args=_proxies()
        ),
        keep_locally=True,
        opts=pulumi.ResourceOptions(
            parent=parent, ignore_changes=["build"], custom_timeouts=TIMEOUTS
        ),  # the clone's path is not a change
    )
