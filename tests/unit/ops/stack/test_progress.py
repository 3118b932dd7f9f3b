"""The steps of the readiness readiness: only those that are logged while an update runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from docker.errors import NotFound

from labelspace_ops.core.reporting import Event, ReadinessStep, listening
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import progress


class _Engine:
    """An engine with at most one container; ``logs`` maps the container's id to its log."""

    def __init__(self) -> None:
        self.id, self.log = "", b""
        self.containers = self

    def get(self, name: str) -> Any:
        if name != "labelspace-pets-readiness" or not self.id:
            raise NotFound(name)
        return SimpleNamespace(id=self.id, logs=lambda: self.log)


def _steps(engine: _Engine, log: bytes, container: str) -> list[Event]:
    events: list[Event] = []
    with listening(events.append), progress.gate(DockerRuntime(cast(Any, engine), "pets")):
        engine.id, engine.log = container, log
    return events


def test_steps_of_a_new_container_are_emitted() -> None:
    log = b"readiness: health: works\nother output\nreadiness: login: as admin: done\n"
    assert _steps(_Engine(), log, "a") == [
        ReadinessStep("health", "works"),
        ReadinessStep("login", "as admin: done"),
    ]


def test_lines_from_before_the_update_are_not_emitted_again() -> None:
    engine = _Engine()
    engine.id, engine.log = "a", b"readiness: health: old\n"
    assert _steps(engine, engine.log + b"readiness: health: new\n", "a") == [ReadinessStep("health", "new")]
    assert _steps(engine, engine.log, "a") == []


def test_a_replaced_container_is_read_from_its_beginning() -> None:
    engine = _Engine()
    engine.id, engine.log = "a", b"readiness: health: old\n"
    assert _steps(engine, b"readiness: health: new\n", "b") == [ReadinessStep("health", "new")]
