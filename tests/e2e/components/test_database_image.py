"""The database's image, built from its recipe as a server at Scaleway has it: packed, by the old builder."""

from __future__ import annotations

import bz2
import os
import subprocess
from collections.abc import Iterator

import docker
import pytest

from labelspace.postgres import pgbackrest

START = "labelspace-database.sh"


@pytest.fixture
def built() -> Iterator[str]:
    done = subprocess.run(
        ["docker", "build", "--quiet", "--tag", "labelspace-test-image", "-"],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        input=bz2.compress(pgbackrest.context_tar()), capture_output=True, check=True,
    )  # fmt: skip
    yield done.stdout.decode().strip()
    docker.from_env().images.remove("labelspace-test-image")


def test_the_packed_recipe_is_built_and_trusts_whom_its_machine_trusts(built: str) -> None:
    script = (
        f"cat /usr/local/bin/{START} && echo $SSL_CERT_FILE && python3 -c 'import labelspace_backup.state'"
    )
    said = docker.from_env().containers.run(built, entrypoint=["sh", "-ec"], command=[script], remove=True)
    assert said.decode() == f"{(pgbackrest.CONTEXT / START).read_text()}{pgbackrest.AUTHORITIES}\n"


def test_the_packed_recipe_is_the_same_whenever_it_is_packed() -> None:
    assert pgbackrest.context_tar() == pgbackrest.context_tar()
