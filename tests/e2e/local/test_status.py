"""Who asks a database's container when that may end at any moment."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from labelspace.postgres.pgbackrest import CONTEXT, image_name
from labelspace.spec import BackupSpec
from labelspace_ops.backup import agent, restore
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine

ENDS_WHEN_ASKED = "until grep -qs labelspace_b[a]ckup /proc/[0-9]*/cmdline; do sleep 0.02; done; exit 1"
"""As one that refuses to start, in the moment in which it is asked."""


@pytest.fixture
def client() -> docker.DockerClient:
    """With the database's image."""
    one = docker_engine.connect()
    if not one.images.list(image_name()):
        one.images.build(path=str(CONTEXT), tag=image_name(), rm=True)
    return one


@pytest.fixture
def refusing(client: docker.DockerClient) -> Iterator[Container]:
    name = f"t{secrets.token_hex(3)}"
    one = client.containers.run(
        image_name(),
        entrypoint=["sh", "-c", ENDS_WHEN_ASKED],
        name=f"labelspace-{name}-database",
        labels={"test": name},
        healthcheck={"Test": ["CMD-SHELL", "sleep 30 # labelspace_backup"]},
        restart_policy={"Name": "always"},
        detach=True,
    )
    yield one
    docker_engine.remove(one)


def test_backups_are_listed_though_the_database_ends_while_it_is_asked(
    client: docker.DockerClient, refusing: Container, tmp_path: Path
) -> None:
    """A lost volume's database starts and ends without end until a restore; the restore asks for the list."""
    tmp_path.chmod(0o755)
    source = agent.Repository(refusing.labels["test"], str(tmp_path), BackupSpec(), "k" * 32)
    with pytest.raises(agent.ContainerExitedError):
        agent.call(refusing, "list")
    assert restore.list_backups(client, source) == []


def test_a_container_that_ends_under_its_health_check_does_not_work(refusing: Container) -> None:
    assert not docker_engine.is_healthy(refusing)


def test_an_answer_that_the_engine_lost_is_found_where_the_program_kept_it(
    client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moby/moby#27289: the exit code is known, and nothing of what was printed."""
    name = f"t{secrets.token_hex(3)}"
    one = client.containers.run(image_name(), entrypoint=["sleep", "600"], name=name, detach=True, init=True)
    really = docker_engine.exec_in
    monkeypatch.setattr(docker_engine, "exec_in", lambda *given: (really(*given)[0], ""))
    try:
        with pytest.raises(OpsError, match=r"backup\.json"):  # it was given no settings, and says so
            agent.call(one, "standing")
        one.exec_run(["sh", "-c", "rm /tmp/labelspace-answer-*"])
        monkeypatch.setattr(docker_engine, "exec_in", lambda *_: (0, ""))
        with pytest.raises(agent.ContainerExitedError, match="lost the database's answer"):
            agent.call(one, "standing")
    finally:
        docker_engine.remove(one)
