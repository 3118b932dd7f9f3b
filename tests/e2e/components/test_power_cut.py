"""A power cut: what the disk of a running database holds at one moment is enough to start it again.

The disk is a file. While every process of the container is paused, the file is copied: it lacks what the
kernel has not written yet, as a disk does after a power cut.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.components import database
from tests.e2e.components.database import PSQL

from labelspace.postgres import pgbackrest
from labelspace.spec import BackupSpec

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


def _database(disk: Path) -> AbstractContextManager[Any]:
    """The database's container, whose data are on the disk."""
    return database.running(BackupSpec(), 256, volumes={str(disk / "data"): {"bind": pgbackrest.DATA}})


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_what_was_answered_before_a_power_cut_is_there_afterwards(tmp_path: Path) -> None:
    database.build_image()
    before, after = tmp_path / "before.img", tmp_path / "after.img"
    with before.open("wb") as file:
        file.truncate(2**30)
    subprocess.run(["mkfs.ext4", "-q", str(before)], check=True)
    with _disk(before, tmp_path / "before") as disk, _database(disk) as made:
        database.shell(made, f"{PSQL} 'create table written (id int)'")
        words = ["docker", "exec", made.id, "bash", "-c", WRITER]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            answered = [int(line) for line, _ in zip(writer.stdout, range(WRITES), strict=False)]
            made.pause()
            shutil.copyfile(before, after)
            made.unpause()
            writer.kill()
    with _disk(after, tmp_path / "after") as disk, _database(disk) as made:
        assert "database system was not properly shut down" in made.logs().decode()
        rows = {int(row) for row in database.shell(made, f"{PSQL} 'table written'").split()}
        assert {*answered} - rows == set()
        assert len(answered) == WRITES
        assert (
            database.shell(
                made, "pg_amcheck -U cvat -d cvat --install-missing --heapallindexed && echo whole"
            )
            == "whole"
        )
