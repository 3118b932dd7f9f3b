"""A preview before the first update: nothing has an id yet, and the addresses are known where they can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.e2e.cloud import ACCOUNT
from tests.unit.components.targets.kubernetes.test_deploy import SETTINGS as CLUSTER
from tests.unit.components.test_options import CLOUD, Machine

from labelspace import AnnotationDatabase, AnnotationServer, DatasetBucket, Workspace

WITH_DOMAIN = {**CLOUD, "scaleway": {"wait_minutes": 0, "domain": "labels.example.org"}}
BUCKETS: list[Any] = [{"name": "one"}]
FAR: list[Any] = [{"name": "far", "endpoint": "http://198.51.100.1:7070"}]


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for key, value in {**ACCOUNT, "LABELSPACE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(key, value)


class NotMadeYet(Machine):
    """Answers as the engine does in a preview of a new resource: no id, no computed output."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        stashed = {"output": args.inputs["input"]} if "input" in args.inputs else {}
        return "", {**args.inputs, **stashed}


def known_in_a_preview(declare: Callable[[], pulumi.Output[Any]]) -> Any:
    """The value that ``declare`` returns as the preview knows it; None when it is unknown."""
    pulumi.runtime.set_mocks(NotMadeYet(), project="other-team", stack="test", preview=True)
    found: list[Any] = []

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def program() -> Any:
        async def look(output: pulumi.Output[Any]) -> None:
            found.append(await output.future())

        return pulumi.Output.from_input(look(declare()))

    program()
    return found[0]


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"buckets": BUCKETS, "port": 8090}, "http://w.localhost:8090"),
        ({"buckets": FAR}, "http://w.localhost:8080"),
        ({"buckets": BUCKETS, "running": False}, "http://w.localhost:8080"),
        ({"buckets": BUCKETS, "public_url": "https://labels.example.org"}, "https://labels.example.org"),
        (
            {"buckets": BUCKETS, "description": pulumi.Output.secret("of another resource")},
            "http://w.localhost:8080",
        ),
        (WITH_DOMAIN, "https://labels.example.org"),
        ({**CLUSTER, "name": "w"}, "https://labels.example.org"),
    ],
    ids=["local", "remote bucket", "stopped", "public_url", "output as argument", "scaleway", "kubernetes"],
)
def test_the_url_is_known(settings: dict[str, Any], url: str) -> None:
    assert known_in_a_preview(lambda: Workspace("w", **settings).url) == url


def test_the_url_of_an_address_that_is_not_there_yet_is_unknown() -> None:
    assert known_in_a_preview(lambda: Workspace("w", **CLOUD).url) is None


def test_the_addresses_of_parts_are_known(tmp_path: Path) -> None:
    def server() -> AnnotationServer:
        database, photos = AnnotationDatabase("labels"), DatasetBucket("photos", port=9000)
        return AnnotationServer("server", database=database, buckets=[photos], port=8090)

    assert known_in_a_preview(lambda: server().url) == "http://labels.localhost:8090"
    assert known_in_a_preview(lambda: server().api_url) == "http://127.0.0.1:8090"
    assert known_in_a_preview(lambda: DatasetBucket("photos", port=9000).endpoint) == "http://127.0.0.1:9000"
    folder = known_in_a_preview(lambda: DatasetBucket("photos", port=9000).folder)
    assert folder == str(tmp_path / "buckets" / "photos")
    assert known_in_a_preview(lambda: AnnotationDatabase("labels").host) == "labelspace-labels-database"


def test_a_password_that_is_not_made_yet_is_unknown() -> None:
    assert known_in_a_preview(lambda: Workspace("w", buckets=BUCKETS).admin_password) is None
