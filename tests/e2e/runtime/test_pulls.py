"""Pulls from a real registry by a real engine: progress, and the reasons of refusals."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from tests.e2e import registry
from tests.e2e.registry import Registry

from labelspace_ops.core import reporting
from labelspace_ops.core.reporting import Event, Message, PullProgress
from labelspace_ops.runtime import images
from labelspace_ops.runtime.pull_errors import PullError, Reason

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry.serve(tmp_path_factory.mktemp("registry")) as one:
        yield one


@pytest.fixture
def client() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture
def faulty(served: Registry) -> Iterator[Registry]:
    """The registry without faults of an earlier test."""
    served.faults.reset()
    yield served
    served.faults.reset()


@pytest.fixture
def names(client: docker.DockerClient, faulty: Registry) -> Iterator[list[str]]:
    """Two images of three layers each, which the engine lacks."""
    made = [registry.push(client, faulty, f"{name}:1", [3 * MEGABYTE, 200_000, MEGABYTE]) for name in "ab"]
    yield made
    for name in made:
        try:
            client.images.remove(name)
        except ImageNotFound:
            continue


def pull(client: docker.DockerClient, *names: str) -> list[Event]:
    heard: list[Event] = []
    with reporting.listening(heard.append):
        images.ensure(client, names)
    return heard


def test_images_are_pulled_at_once_with_bytes_and_time_left(
    client: docker.DockerClient, faulty: Registry, names: list[str]
) -> None:
    faulty.faults.bytes_per_second = 800_000
    heard = pull(client, *names)
    progress = [event for event in heard if isinstance(event, PullProgress)]
    assert any(all(image.state == "downloading" for image in one.images) for one in progress), "at once"
    received = [sum(image.received for image in one.images) for one in progress]
    assert received == sorted(received)
    sizes = [image.size for image in progress[-1].images]
    assert all(size == 0 or 4.2 * MEGABYTE < size < 4.3 * MEGABYTE for size in sizes), sizes
    assert any(one.seconds_left for one in progress)
    texts = [event.text for event in heard if isinstance(event, Message)]
    assert sum(text.startswith("  pulled 127.0.0.1:") and "4.2 MB in" in text for text in texts) == 2
    assert images.missing(client, names) == []


def test_a_layer_that_is_cut_is_resumed(
    client: docker.DockerClient, faulty: Registry, names: list[str]
) -> None:
    faulty.faults.cuts = 1
    pull(client, names[0])
    assert faulty.faults.cuts == 0
    assert images.missing(client, names[:1]) == []


def test_a_rate_limit_names_docker_login(
    client: docker.DockerClient, faulty: Registry, names: list[str]
) -> None:
    faulty.faults.rate_limited = True
    with pytest.raises(
        PullError, match="rate limit for pulls is reached: log in with `docker login`"
    ) as caught:
        pull(client, names[0])
    assert caught.value.reason is Reason.RATE_LIMIT
    faulty.faults.rate_limited = False
    pull(client, *names)
    assert images.missing(client, names) == [], "the same command goes on"


def test_an_image_for_another_architecture_is_refused(
    client: docker.DockerClient, faulty: Registry, names: list[str]
) -> None:
    other = {"amd64": "arm64"}.get(client.version()["Arch"], "amd64")
    registry.offer_only(faulty, names[0], other)
    with pytest.raises(PullError, match="for other architectures alone") as caught:
        pull(client, names[0])
    assert caught.value.reason is Reason.ARCHITECTURE


def test_a_registry_that_wants_a_login_gets_that_of_docker_login(
    client: docker.DockerClient,
    faulty: Registry,
    names: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faulty.faults.password = "entry"
    with pytest.raises(PullError, match="wants a login"):
        pull(client, names[0])
    known = base64.b64encode(b"team:entry").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {faulty.pull: {"auth": known}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    pull(docker.from_env(), names[0])
    assert images.missing(client, names[:1]) == []


def test_an_image_that_is_not_there(client: docker.DockerClient, faulty: Registry) -> None:
    with pytest.raises(PullError, match="no such image") as caught:
        pull(client, f"{faulty.pull}/absent:1")
    assert caught.value.reason is Reason.NOT_FOUND


def test_a_registry_that_does_not_answer(client: docker.DockerClient) -> None:
    with pytest.raises(PullError, match="cannot reach the registry") as caught:
        pull(client, "127.0.0.1:9/absent:1")
    assert caught.value.reason is Reason.NETWORK
