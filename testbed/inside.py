"""What a program says inside of a container, without loss.

An engine can lose all that a program prints by ``exec`` and still know its exit code (moby/moby#27289; seen
with Docker 20.10 under load). So the words go into a file of the container's, which is fetched.
"""

from __future__ import annotations

import secrets
from typing import Any

from docker.errors import NotFound

from labelspace_ops.runtime import docker_engine


def inside(one: Any, command: list[str], user: str = "") -> tuple[int, bytes]:
    """Exit code, and standard output and error together, of a command in a running container with a shell."""
    place = f"/var/tmp/said-{secrets.token_hex(6)}"  # noqa: S108 - inside the container
    done = one.exec_run(["sh", "-c", 'exec "$@" >"$0" 2>&1', place, *command], user=user)
    return int(done.exit_code), fetched(one, place)


def fetched(one: Any, path: str) -> bytes:
    """A file of a container's; empty where there is none."""
    try:
        return docker_engine.read_file(one, path)
    except NotFound:
        return b""
