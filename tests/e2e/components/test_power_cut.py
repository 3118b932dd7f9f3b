"""A power cut: what the disk of a running database holds at one moment is enough to start it again.

The disk is a file. While every process of the container is paused, the file is copied: it lacks what the
kernel has not written yet, as a disk does after a power cut.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from labelspace.postgres import container, pgbackrest
from labelspace.spec import BackupSpec
from labelspace_ops.runtime import docker_engine

PSQL = "psql -U cvat -d cvat -v ON_ERROR_STOP=1 -qAtc"
WRITES = 40
WRITER = f'for i in $(seq 10000); do {PSQL} "insert into written values ($i)" && echo $i; done'  # noqa: S608 - a number
"""A line for each row whose commit PostgreSQL answered."""
OPTIONS = "loop,commit=600"
"""Only what a process asks for is written while the file is copied: the journal does not write by itself."""


@contextmanager
def _disk(file: Path, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-o", OPTIONS, str(file), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def _database(disk: Path) -> Iterator[Any]:
    """The database's container, whose data are on the disk."""
    service = container.service("a-password", {}, BackupSpec(), size="small")
    created = docker.from_env().containers.create(
        pgbackrest.image_name(),
        command=list(service.command),
        environment=dict(service.environment),
        cap_drop=["ALL"],
        cap_add=list(service.capabilities),
        init=True,
        volumes={str(disk / "data"): {"bind": pgbackrest.DATA}},
        tmpfs={pgbackrest.REPOSITORY: "size=256m,uid=999,gid=999"},
    )
    files = pgbackrest.secret_files("w", BackupSpec(), "k" * 40)
    created.put_archive("/", docker_engine.tar_files({container.PASSWORD_FILE: "a-password", **files}))
    created.start()
    try:
        _wait_until_healthy(created)
        yield created
    finally:
        created.remove(force=True, v=True)


def _wait_until_healthy(database: Any) -> None:
    deadline = time.monotonic() + 120
    while docker_engine.exec_in(database, ["sh", "-c", container.HEALTHY])[0]:
        assert time.monotonic() < deadline, database.logs(tail=20).decode()
        time.sleep(0.5)


def _run(database: Any, script: str) -> str:
    code, output = docker_engine.exec_in(database, ["bash", "-ec", script])
    assert code == 0, output
    return output.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_what_was_answered_before_a_power_cut_is_there_afterwards(tmp_path: Path) -> None:
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", pgbackrest.image_name(), "-"],
        env={"DOCKER_BUILDKIT": "0", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        input=pgbackrest.context_tar(), capture_output=True, check=True,
    )  # fmt: skip
    before, after = tmp_path / "before.img", tmp_path / "after.img"
    with before.open("wb") as file:
        file.truncate(2**30)
    subprocess.run(["mkfs.ext4", "-q", str(before)], check=True)
    with _disk(before, tmp_path / "before") as disk, _database(disk) as database:
        _run(database, f"{PSQL} 'create table written (id int)'")
        words = ["docker", "exec", database.id, "bash", "-c", WRITER]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            answered = [int(line) for line, _ in zip(writer.stdout, range(WRITES), strict=False)]
            database.pause()
            shutil.copyfile(before, after)
            database.unpause()
            writer.kill()
    with _disk(after, tmp_path / "after") as disk, _database(disk) as database:
        assert "database system was not properly shut down" in database.logs().decode()
        rows = {int(row) for row in _run(database, f"{PSQL} 'table written'").split()}
        assert {*answered} - rows == set()
        assert len(answered) == WRITES
        assert (
            _run(database, "pg_amcheck -U cvat -d cvat --install-missing --heapallindexed && echo whole")
            == "whole"
        )
