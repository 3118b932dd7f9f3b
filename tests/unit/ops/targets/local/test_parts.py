"""Which containers must run is read from the stack: no list of special cases."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from labelspace.naming import PART_LABEL
from labelspace_ops.stack.state import Resource
from labelspace_ops.targets.local import parts


def _declared(part: str, restart: str, **more: Any) -> Resource:
    outputs = {"restart": restart, "labels": [{"label": PART_LABEL, "value": part}]}
    return Resource("docker:index/container:Container", outputs=outputs, **more)


def test_what_the_stack_declares_to_run_for_ever_is_expected() -> None:
    resources = [
        Resource("pulumi:pulumi:Stack"),
        _declared("database", "always"),
        _declared("migrate", "no"),
        _declared("mount-cats", "always"),
        _declared("server", "always"),
        _declared("server", "always", is_to_delete=True),
    ]
    assert parts.expected(resources) == ["database", "mount-cats", "server"]


@pytest.mark.parametrize(
    ("status", "restart", "runs"),
    [("running", "always", True), ("exited", "always", False), ("running", "no", False)],
)
def test_a_container_that_ends_does_not_count_as_running(status: str, restart: str, runs: bool) -> None:
    one: Any = SimpleNamespace(status=status, attrs={"HostConfig": {"RestartPolicy": {"Name": restart}}})
    assert parts.running({"server": one}) == (["server"] if runs else [])
