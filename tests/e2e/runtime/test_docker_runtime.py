"""The runtime of a Docker engine, on a real one: a container of a workspace that has no stack."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import docker
import pytest

from labelspace.cvat.images import IMAGES
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL, resource_name
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.runtime.base import Job, Mount, Result, Runtime, RuntimeFailedError
from labelspace_ops.runtime.docker_engine import DockerRuntime

IMAGE = IMAGES["versitygw"]


@pytest.fixture
def client() -> docker.DockerClient:
    one = docker.from_env()
    if not one.images.list(IMAGE):
        one.images.pull(IMAGE)
    return one


@pytest.fixture
def runtime(client: docker.DockerClient) -> Iterator[Runtime]:
    """A workspace with one service that writes a file and a line, then serves."""
    name = f"t{secrets.token_hex(3)}"
    client.containers.run(
        IMAGE,
        entrypoint=["sh", "-c", "echo content > /made; echo begun; exec sleep 600"],
        command=[],
        name=resource_name(name, "server"),
        labels={WORKSPACE_LABEL: name, PART_LABEL: "server"},
        detach=True,
        init=True,
    )
    one = DockerRuntime(client, name)
    wait_until(lambda: log.text if (log := one.read_log("server")) else "", timeout=60, interval=0.1,
               on_timeout="the service did not begin")  # fmt: skip
    yield one
    one.remove(one.services())


def test_a_service_is_read_and_commanded(runtime: Runtime) -> None:
    assert runtime.services()["server"].running
    assert runtime.exec("server", ["sh", "-c", "cat /made; exit 3"]) == Result(3, "content\n")
    assert runtime.is_healthy("server"), "it has no health check"
    log = runtime.read_log("server")
    assert log is not None
    assert (log.text, log.instance) == ("begun\n", runtime.services()["server"].instance)
    assert runtime.read_log("worker") is None
    with pytest.raises(KeyError):
        runtime.exec("worker", ["true"])


def test_files_are_read_from_a_stopped_service(runtime: Runtime) -> None:
    runtime.stop(["server"])
    assert runtime.services()["server"].state == "exited"
    assert runtime.read_file("server", "/made") == b"content\n"
    with pytest.raises(FileNotFoundError):
        runtime.read_file("server", "/nowhere")
    runtime.start(["server"])
    assert runtime.services()["server"].running


def test_a_command_runs_in_a_new_container_that_is_removed(runtime: Runtime) -> None:
    volume = resource_name(runtime.workspace, "scratch")
    client = docker.from_env()
    client.volumes.create(volume, labels={WORKSPACE_LABEL: runtime.workspace})
    try:
        files, mounts = {"/given/text": "hello"}, (Mount(volume, "/data"),)
        command = ["sh", "-c", "cat /given/text | tee /data/copy; exit 4"]
        assert runtime.run(Job(IMAGE, command, mounts=mounts, files=files)) == Result(4, "hello")
        read = ["cat", "/data/copy"]
        assert runtime.run(Job(IMAGE, read, mounts=mounts)) == Result(0, "hello")
        assert runtime.services().keys() == {"server"}
    finally:
        client.volumes.get(volume).remove(force=True)


def test_a_job_may_only_read_what_is_mounted_so_and_has_no_right_of_root(runtime: Runtime) -> None:
    volume = Mount(runtime.make_volume("scratch"), "/data", read_only=True)
    try:
        assert "scratch" in runtime.volumes()
        refused = runtime.run(Job(IMAGE, ["sh", "-c", "touch /data/file || chown 9 /home"], mounts=(volume,)))
        assert (refused.exit_code, "Read-only file system" in refused.output) == (1, True)
        assert "Operation not permitted" in refused.output
    finally:
        runtime.remove_volumes(["scratch"])
    assert "scratch" not in runtime.volumes()


def test_a_job_that_is_launched_serves_on_its_networks_until_it_is_removed(runtime: Runtime) -> None:
    with runtime.network("apart", internal=True) as network:
        runtime.launch(Job(IMAGE, ["sleep", "600"], part="copy", networks=(network,)))
        assert runtime.exec("copy", ["true"]).exit_code == 0
        assert runtime.exec("copy", ["wget", "-T", "2", "http://example.invalid"]).exit_code == 1
        runtime.launch(Job(IMAGE, ["sh", "-c", "exit 7"], part="copy"))  # in place of the first
        assert runtime.wait("copy") == 7
        runtime.remove(["copy"])
    assert runtime.services().keys() == {"server"}


def test_an_image_that_no_registry_has_is_refused_with_the_reason(runtime: Runtime) -> None:
    assert runtime.has_image(IMAGE)
    assert not runtime.has_image("labelspace-nowhere:1")
    with pytest.raises(RuntimeFailedError, match="Docker engine: "):
        runtime.launch(Job("labelspace-nowhere:1", ["true"]))
