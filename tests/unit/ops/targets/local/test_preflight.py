"""A taken port: the advice is a command that takes another one."""

from __future__ import annotations

import socket

import pytest

from labelspace.spec import LocalSpec, validate
from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.local import preflight


def _spec(**ports: int) -> LocalSpec:
    return validate(LocalSpec, {"name": "pets", "buckets": [{"name": "cats"}], **ports})


@pytest.mark.parametrize(
    ("known", "field", "advice"),
    [
        (True, "port", "`labelspace set pets port={free}`"),
        (True, "s3_port", "`labelspace set pets s3_port={free}`"),
        (False, "port", "`labelspace create pets --port {free}`"),
        (False, "s3_port", "`labelspace create pets --s3-port {free}`"),
    ],
)
def test_a_taken_port_names_a_command_with_a_free_one(known: bool, field: str, advice: str) -> None:
    """``start`` has no flag for a port: the settings of a workspace that exists are changed by ``set``."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        free = preflight.free_port("127.0.0.1", port + 1, set())
        with pytest.raises(UsageError) as raised:
            preflight._check_port(_spec(**{field: port}), field, "127.0.0.1", port, known=known)
    assert f"{field}: {port} is in use on 127.0.0.1: " in str(raised.value)
    assert advice.format(free=free) in str(raised.value)


def test_the_port_that_is_advised_is_no_other_port_of_the_workspace() -> None:
    """Those of a stopped workspace are free on the machine, and ``set`` would refuse them."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        next_free = preflight.free_port("127.0.0.1", port + 1, set())
        with pytest.raises(UsageError) as raised:
            preflight._check_port(_spec(port=port, s3_port=next_free), "port", "127.0.0.1", port, known=True)
    free = preflight.free_port("127.0.0.1", port + 1, {next_free})
    assert f"`labelspace set pets port={free}`" in str(raised.value)
