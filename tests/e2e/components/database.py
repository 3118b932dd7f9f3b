"""The database's container by itself, without a workspace."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from tests.e2e.lab import until

from labelspace.postgres import container, pgbackrest
from labelspace.spec import BackupSpec
from labelspace_ops.runtime import docker_engine

PSQL = "psql -U cvat -d cvat -v ON_ERROR_STOP=1 -qAtc"


def build_image() -> None:
    """Build the image from its recipe, as an update does."""
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", pgbackrest.image_name(), "-"],
        env={"DOCKER_BUILDKIT": "0", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        input=pgbackrest.context_tar(), capture_output=True, check=True,
    )  # fmt: skip


@contextmanager
def running(backup: BackupSpec, repository_mb: int, **options: Any) -> Iterator[Any]:
    """A healthy container whose repository is a disk in memory; ``options``: more of Docker's."""
    service = container.service("a-password", {}, backup, size="small")
    created = docker.from_env().containers.create(
        pgbackrest.image_name(),
        command=list(service.command),
        environment=dict(service.environment),
        cap_drop=["ALL"],
        cap_add=list(service.capabilities),
        init=True,
        tmpfs={pgbackrest.REPOSITORY: f"size={repository_mb}m,uid=999,gid=999"},
        **options,
    )
    files = pgbackrest.secret_files("w", backup, "k" * 40)
    created.put_archive("/", docker_engine.tar_files({container.PASSWORD_FILE: "a-password", **files}))
    created.start()
    try:
        until(lambda: docker_engine.exec_in(created, ["sh", "-c", container.HEALTHY])[0] == 0, "healthy")
        yield created
    finally:
        created.remove(force=True, v=True)


def shell(database: Any, script: str) -> str:
    """The output of a script in the container, which must succeed."""
    code, output = docker_engine.exec_in(database, ["bash", "-ec", script])
    assert code == 0, output
    return output.strip()
