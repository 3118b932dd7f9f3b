"""A taken port: the advice is a command that takes another one."""

from __future__ import annotations

import socket

import pytest

from labelspace_ops.core.errors import UsageError
from labelspace_ops.targets.local import preflight


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
            preflight._check_port("pets", field, "127.0.0.1", port, known=known)
    assert f"{field}: {port} is in use on 127.0.0.1: " in str(raised.value)
    assert advice.format(free=free) in str(raised.value)
