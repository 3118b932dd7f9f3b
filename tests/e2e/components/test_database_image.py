"""The database's image, built from its recipe as a server at Scaleway has it: packed, by the old builder."""

from __future__ import annotations

import bz2
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from labelspace.postgres import container, pgbackrest
from labelspace.spec import BackupSpec
from labelspace_ops.runtime import docker_engine

START = "labelspace-database.sh"
PASSWORD = "a-password-of-the-database"
PSQL = "psql -U cvat -d cvat -v ON_ERROR_STOP=1 -Atc"


@pytest.fixture(scope="module")
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


@pytest.fixture(params=["as on the official image", "of Debian"])
def database(request: pytest.FixtureRequest, built: str, tmp_path: Path) -> Iterator[Any]:
    """A database that archives, by itself, with each version of pgBackRest that users may have."""
    backup = BackupSpec()
    service = container.service(PASSWORD, {}, backup, size="small")
    binds = {pgbackrest.REPOSITORY: "rw", **dict.fromkeys(pgbackrest.FILE_VOLUMES.values(), "ro")}
    for path in binds:
        (tmp_path / path.lstrip("/")).mkdir(parents=True)
    created = docker.from_env().containers.create(
        built,
        command=list(service.command),
        environment=dict(service.environment),
        cap_drop=["ALL"],
        cap_add=list(service.capabilities),
        security_opt=["no-new-privileges:true"],
        init=True,
        volumes={str(tmp_path) + path: {"bind": path, "mode": mode} for path, mode in binds.items()},
    )
    files = pgbackrest.secret_files("w", backup, "k" * 40)
    created.put_archive("/", docker_engine.tar_files({container.PASSWORD_FILE: PASSWORD, **files}))
    if request.param == "of Debian":
        created.put_archive("/", docker_engine.tar_files({"/usr/local/bin/pgbackrest": ""}))
    created.start()
    try:
        yield created
    finally:
        created.remove(force=True, v=True)


def _said(database: Any, *command: str) -> str:
    code, said = docker_engine.exec_in(database, [*command])
    assert code == 0, f"{command}: {said}"
    return said


def _environment(pid: str) -> bytes:
    """Empty for a process that has ended: the server starts short-lived ones by itself."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_a_database_backs_itself_up_and_proves_it_with_no_password_in_its_environment(database: Any) -> None:
    until = time.monotonic() + 300
    while docker_engine.exec_in(database, ["sh", "-c", container.HEALTHY])[0] and time.monotonic() < until:
        time.sleep(1)
    _said(database, "sh", "-c", f"{PSQL} 'CREATE TABLE django_migrations (app text, name text)'")
    agent = ("python3", "-m", "labelspace_backup")
    taken = json.loads(_said(database, *agent, "backup", '{"kind": "full"}').splitlines()[-1])
    assert taken["kind"] == "full"
    proof = json.loads(_said(database, *agent, "drill", "{}").splitlines()[-1])
    assert proof["ok"], proof
    login = f"PGPASSWORD={PASSWORD} psql -h 127.0.0.1 -U cvat -d cvat -Atc 'SELECT 1'"
    assert _said(database, "sh", "-c", login).strip() == "1"
    servers = [row[1] for row in database.top()["Processes"] if "postgres" in row[-1]]
    environments = [one for pid in servers if (one := _environment(pid))]
    assert environments
    assert not [one for one in environments if PASSWORD.encode() in one]
