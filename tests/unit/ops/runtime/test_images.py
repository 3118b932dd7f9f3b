"""Pulls: what the engine's records say of the progress, and what its errors mean to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from docker.errors import APIError, ImageNotFound

from labelspace_ops.core import reporting
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import Event, ImagePull, Message, PullProgress, pull_summary
from labelspace_ops.runtime import container_images, images
from labelspace_ops.runtime.images import Pull, Speed
from labelspace_ops.runtime.pull_errors import PullError, Reason, pull_error

REDIS, CADDY = "redis:7.2.16-alpine", "caddy:2.11-alpine"


def record(layer: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
    """A record as the engine streams it (Docker 20.10)."""
    detail = {"current": current, "total": total} if total else {}
    return {"status": status, "progressDetail": detail, "id": layer}


def pulled(*records: dict[str, Any]) -> Pull:
    pull = Pull(REDIS)
    for one in records:
        pull.apply(one)
    return pull


BEGUN = (record("7.2.16-alpine", "Pulling from library/redis"), record("a", "Pulling fs layer"))


def test_bytes_of_all_layers_are_added() -> None:
    pull = pulled(*BEGUN, record("b", "Pulling fs layer"), record("a", "Downloading", 30, 100),
                  record("b", "Downloading", 5, 50))  # fmt: skip
    assert pull.progress() == ImagePull(REDIS, "downloading", 35, 150, size_is_known=True)


def test_a_layer_that_waits_has_no_size_yet() -> None:
    pull = pulled(*BEGUN, record("b", "Waiting"), record("a", "Downloading", 30, 100))
    assert pull.progress() == ImagePull(REDIS, "downloading", 30, 100, size_is_known=False)


def test_a_layer_that_the_engine_has_is_not_counted() -> None:
    pull = pulled(*BEGUN, record("old", "Already exists"), record("a", "Downloading", 30, 100))
    assert pull.progress().size == 100


def test_a_resumed_layer_goes_on_where_it_was() -> None:
    """The engine then counts the rest alone: 300 of 750 bytes that are left of 1000."""
    pull = pulled(*BEGUN, record("a", "Downloading", 250, 1000), record("a", "Retrying in 5 seconds"),
                  record("a", "Downloading", 300, 750))  # fmt: skip
    assert (pull.received, pull.size) == (550, 1000)


def test_an_image_is_unpacked_when_everything_is_there() -> None:
    both = (*BEGUN, record("b", "Pulling fs layer"), record("a", "Downloading", 100, 100),
            record("b", "Downloading", 10, 50), record("a", "Extracting", 1, 100))  # fmt: skip
    assert pulled(*both).state == "downloading"
    assert (
        pulled(*both, record("b", "Download complete"), record("a", "Extracting", 2, 100)).state
        == "unpacking"
    )


def test_the_time_left_is_that_of_the_last_half_minute() -> None:
    speed = Speed()
    assert speed.seconds_left(0, 0, 1000) is None
    assert speed.seconds_left(10, 100, 1000) == 90
    assert speed.seconds_left(40, 400, 1000) == 60
    assert speed.seconds_left(80, 400, 1000) is None, "nothing came in for 40 seconds"


def test_the_summary_names_images_sizes_and_the_time_left() -> None:
    progress = PullProgress(
        (
            ImagePull(REDIS, "done", 12_000_000, 12_000_000, size_is_known=True),
            ImagePull(CADDY, "downloading", 5_000_000, 20_500_000, size_is_known=True),
            ImagePull("cvat/ui:v1", "waiting", 0, 0, size_is_known=False),
        ),
        seconds_left=200,
    )
    assert pull_summary(progress) == (
        "images: 1 of 3 pulled, 17 of at least 32 MB, at least 3 min left: caddy:2.11-alpine 5.0/20 MB"
    )


SAID = {
    "toomanyrequests: You have reached your unauthenticated pull rate limit.": Reason.RATE_LIMIT,
    "failed to register layer: Error processing tar file(exit status 1): write /usr/lib/x: no space left on"
    " device": Reason.DISK_FULL,
    "write /var/lib/docker/tmp/GetImageBlob1: no space left on device": Reason.DISK_FULL,
    "unexpected EOF": Reason.INTERRUPTED,
    "filesystem layer verification failed for digest sha256:00aa": Reason.INTERRUPTED,
    'failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://x": EOF':
        Reason.INTERRUPTED,
    "no matching manifest for linux/arm64/v8 in the manifest list entries": Reason.ARCHITECTURE,
    "image with reference a was found but does not match the specified platform: wanted linux/arm64, actual:"
    " linux/amd64": Reason.ARCHITECTURE,
    'Get "https://registry-1.docker.io/v2/": proxyconnect tcp: dial tcp 192.0.2.1:3128: connect: connection'
    " refused": Reason.PROXY,
    'Get "https://registry-1.docker.io/v2/": Proxy Authentication Required': Reason.PROXY,
    'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 192.0.2.1:53: no such'
    " host": Reason.NETWORK,
    'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection'
    " (Client.Timeout exceeded while awaiting headers)": Reason.NETWORK,
    'Get "https://registry-1.docker.io/v2/": x509: certificate signed by unknown authority':
        Reason.CERTIFICATE,
    'Head "http://127.0.0.1:5000/v2/one/manifests/1": no basic auth credentials': Reason.LOGIN,
    "pull access denied for a, repository does not exist or may require 'docker login': denied: requested"
    " access to the resource is denied": Reason.LOGIN,
    "manifest for redis:9.99 not found: manifest unknown: manifest unknown": Reason.NOT_FOUND,
    "Credentials store error: StoreError('Credentials store docker-credential-desktop exited with \"\".')":
        Reason.CREDENTIALS,
    "something new": Reason.OTHER,
}  # fmt: skip
"""What engines write, by what it means: recorded from Docker 20.10, or as moby and containerd word it."""


@pytest.mark.parametrize(("text", "reason"), SAID.items())
def test_an_error_has_a_reason_and_is_one_sentence(text: str, reason: Reason) -> None:
    error = pull_error(REDIS, text)
    assert error.reason is reason
    assert str(error).startswith(f"image {REDIS} (docker.io): ")
    assert re.search(r"run this again|`docker |use an engine", str(error)), "it names a next step"
    assert "\n" not in str(error)
    if reason is not Reason.OTHER:
        assert text not in str(error)


def test_the_error_names_the_registry() -> None:
    assert "(127.0.0.1:5000)" in str(pull_error("127.0.0.1:5000/one:1", "unexpected EOF"))
    assert "(docker.io)" in str(pull_error("apache/kvrocks:2.15.0", "unexpected EOF"))


class Image:
    id = "sha256:1"
    attrs: dict[str, Any]


class Engine:
    """An engine whose streams are given by image; ``failures`` come first."""

    def __init__(self, streams: dict[str, list[dict[str, Any]]], failures: dict[str, list[Any]]) -> None:
        self.streams, self.failures = streams, failures
        self.asked: list[tuple[str, str | None]] = []
        self.present: set[str] = set()
        self.images = self.api = self

    def get(self, name: str) -> Image:
        if name not in self.present:
            raise ImageNotFound("no such image")
        return Image()

    def pull(self, name: str, *, platform: str | None, **_: Any) -> Iterator[dict[str, Any]]:
        self.asked.append((name, platform))
        if self.failures.get(name):
            failure = self.failures[name].pop(0)
            if isinstance(failure, Exception):
                raise failure
            yield failure
        else:
            yield from self.streams[name]
            self.present.add(name)


WHOLE = [*BEGUN, record("a", "Downloading", 100, 100), record("a", "Pull complete")]


def ensure(engine: Engine, *names: str) -> list[Event]:
    heard: list[Event] = []
    with reporting.listening(heard.append):
        images.ensure(cast(Any, engine), names)
    return heard


def test_only_missing_images_are_pulled() -> None:
    engine = Engine({REDIS: WHOLE, CADDY: WHOLE}, {})
    engine.present.add(CADDY)
    heard = ensure(engine, REDIS, CADDY, REDIS)
    assert engine.asked == [(REDIS, None)]
    assert heard[0] == Message(f"pulling 1 image: {REDIS}")
    assert ensure(engine, REDIS, CADDY) == [], "nothing to pull, nothing to say"


def test_an_image_of_cvat_is_pulled_for_its_only_platform() -> None:
    engine = Engine({"cvat/ui:v2.73.0": WHOLE}, {})
    ensure(engine, "cvat/ui:v2.73.0")
    assert engine.asked == [("cvat/ui:v2.73.0", "linux/amd64")]


def test_a_cut_layer_is_pulled_again() -> None:
    engine = Engine({REDIS: WHOLE}, {REDIS: [{"error": "unexpected EOF"}, {"error": "unexpected EOF"}]})
    ensure(engine, REDIS)
    assert len(engine.asked) == 3


def test_one_that_is_cut_again_and_again_is_an_error() -> None:
    engine = Engine({REDIS: WHOLE}, {REDIS: [{"error": "unexpected EOF"}] * 9})
    with pytest.raises(PullError) as caught:
        ensure(engine, REDIS)
    assert (caught.value.reason, len(engine.asked)) == (Reason.INTERRUPTED, images.ATTEMPTS)


def test_the_others_are_pulled_before_a_refusal_is_reported() -> None:
    """So that the next attempt has less to do."""
    refused = APIError("500", explanation="toomanyrequests: rate limit")
    engine = Engine({REDIS: WHOLE, CADDY: WHOLE}, {REDIS: [refused]})
    with pytest.raises(PullError) as caught:
        ensure(engine, REDIS, CADDY)
    assert caught.value.reason is Reason.RATE_LIMIT
    assert engine.present == {CADDY}


def test_the_most_decisive_of_several_reasons_is_reported() -> None:
    engine = Engine(
        {}, {REDIS: [{"error": "dial tcp: no such host"}], CADDY: [{"error": "no space left on device"}]}
    )
    with pytest.raises(PullError) as caught:
        ensure(engine, REDIS, CADDY)
    assert caught.value.reason is Reason.DISK_FULL


class Used:
    """A container whose image has the name, the ID and the digests."""

    def __init__(self, name: str, identity: str, digests: list[str]) -> None:
        self.attrs = {"Config": {"Image": name}}
        self.image = Image()
        self.image.id, self.image.attrs = identity, {"RepoDigests": digests}


def test_digests_are_the_registrys_and_ids_of_what_was_built_here(monkeypatch: pytest.MonkeyPatch) -> None:
    pulled, built = Used(REDIS, "sha256:1", ["redis@sha256:9"]), Used("built:1", "sha256:2", [])
    containers = {"redis": pulled, "database": built}
    monkeypatch.setattr("labelspace_ops.runtime.docker_engine.connect", lambda: None)
    monkeypatch.setattr("labelspace_ops.runtime.docker_engine.containers", lambda *_: containers)
    assert container_images.digests("pets") == {REDIS: "sha256:9", "built:1": "sha256:2"}


def test_digests_are_no_reason_to_fail_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OpsError("Docker engine: none answers")

    monkeypatch.setattr("labelspace_ops.runtime.docker_engine.connect", refuse)
    assert container_images.digests("pets") == {}
