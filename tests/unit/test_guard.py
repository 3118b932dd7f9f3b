"""The guard of the unit tests refuses what needs a network or an engine, and allows loopback."""

from __future__ import annotations

import socket
import subprocess

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_a_connection_beyond_loopback_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(BaseException, match="a unit test connects to"):
        client.connect((host, 80))


def test_a_lookup_of_a_host_is_refused() -> None:
    with pytest.raises(BaseException, match="a unit test looks up the host"):
        socket.getaddrinfo("example.invalid", 80)


def test_the_docker_engine_is_refused() -> None:
    with (
        socket.socket(socket.AF_UNIX) as client,
        pytest.raises(BaseException, match="connects to the Docker engine"),
    ):
        client.connect("/var/run/docker.sock")


@pytest.mark.parametrize("program", ["docker", "pulumi", "uv"])
def test_a_program_of_the_end_to_end_tests_is_refused(program: str) -> None:
    with pytest.raises(BaseException, match=f"a unit test starts {program}"):
        subprocess.run([program, "version"], check=False)


def test_loopback_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        assert client.getpeername() == server.getsockname()
