"""Who asks a database's container when that may end at any moment."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace.postgres.pgbackrest import CONTEXT, image_name
from labelspace.spec import BackupSpec
from labelspace_ops.backup import agent
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine
from labelspace_ops.runtime.docker_engine import DockerRuntime

ENDS_WHEN_ASKED = "until grep -qs labelspace_b[a]ckup /proc/[0-9]*/cmdline; do sleep 0.02; done; exit 1"
"""As one that refuses to start, in the moment in which it is asked."""


@pytest.fixture
def runtime() -> DockerRuntime:
    """A workspace's, with the database's image."""
    one = DockerRuntime.here(f"t{secrets.token_hex(3)}")
    if not one.has_image(image_name()):
        one.build(image_name(), CONTEXT)
    return one


@pytest.fixture
def database(runtime: DockerRuntime) -> Iterator[Callable[..., Container]]:
    """Runs a container in place of the workspace's database."""

    def run(command: list[str], **options: Any) -> Container:
        return runtime.client.containers.run(
            image_name(), entrypoint=command, name=resource_name(runtime.workspace, "database"),
            labels={WORKSPACE_LABEL: runtime.workspace, PART_LABEL: "database"}, detach=True, **options,
        )  # fmt: skip

    yield run
    runtime.remove(runtime.services())


@pytest.fixture
def refusing(database: Callable[..., Container]) -> Container:
    return database(
        ["sh", "-c", ENDS_WHEN_ASKED],
        healthcheck={"Test": ["CMD-SHELL", "sleep 30 # labelspace_backup"]},
        restart_policy={"Name": "always"},
    )


@pytest.mark.usefixtures("refusing")
def test_backups_are_listed_though_the_database_ends_while_it_is_asked(
    runtime: DockerRuntime, tmp_path: Path
) -> None:
    """A lost volume's database starts and ends without end until a restore; the restore asks for the list."""
    tmp_path.chmod(0o755)
    source = agent.Repository(runtime.workspace, str(tmp_path), BackupSpec(), "k" * 32)
    with pytest.raises(agent.ContainerExitedError):
        agent.call(runtime, "list")
    assert agent.list_backups(runtime, source) == []


def test_a_container_that_ends_under_its_health_check_does_not_work(refusing: Container) -> None:
    assert not docker_engine.is_healthy(refusing)


def test_an_answer_that_the_engine_lost_is_found_where_the_program_kept_it(
    runtime: DockerRuntime, database: Callable[..., Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    """moby/moby#27289: the exit code is known, and nothing of what was printed."""
    one = database(["sleep", "600"], init=True)
    really = docker_engine.exec_in
    monkeypatch.setattr(docker_engine, "exec_in", lambda *given: (really(*given)[0], ""))
    with pytest.raises(OpsError, match=r"backup\.json"):  # it was given no settings, and says so
        agent.call(runtime, "standing")
    one.exec_run(["sh", "-c", "rm /tmp/labelspace-answer-*"])
    monkeypatch.setattr(docker_engine, "exec_in", lambda *_: (0, ""))
    with pytest.raises(agent.ContainerExitedError, match="lost the database's answer"):
        agent.call(runtime, "standing")
