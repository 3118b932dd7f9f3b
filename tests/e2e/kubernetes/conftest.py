"""A real cluster of one node, and a workspace in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed import toolchain
from testbed.kubernetes import build
from testbed.kubernetes.cluster import CONTROL, Cluster
from testbed.shell import exclusive, run
from tests.e2e.endpoint import Endpoint, endpoint
from tests.e2e.lab import ADMIN, PASSWORD, Lab

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.postgres import pgbackrest

NODE_PORT = 30080


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster, with every image that a workspace needs; it goes at the end."""
    home = Home.find()
    with exclusive(home, "kubernetes"):
        toolchain.prepare_kubernetes(home)
        build.prepare(home)
        made = Cluster(home)
        made.wipe()
        try:
            made.up()
            made.load(CONTROL, _images())
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("KUBECONFIG", str(made.kubeconfig))
                yield made
        finally:
            made.wipe()


def _images() -> list[str]:
    """The images of a workspace; nodes of this cluster have no registry to pull from."""
    database = pgbackrest.image_name()
    run(
        ["docker", "build", "--quiet", "--tag", database, str(pgbackrest.CONTEXT)],
        env={"DOCKER_BUILDKIT": "0"},
    )
    return [
        *(IMAGES[part] for part in ("redis", "kvrocks", "opa", "caddy", "rclone", "server", "ui")),
        database,
    ]


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The S3 endpoint of the backups."""
    with endpoint(tmp_path_factory.mktemp("storage"), buckets=("kept",)) as made:
        yield made


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, storage: Endpoint) -> Iterator[Endpoint]:
    """The S3 endpoint of the dataset, with the same keys."""
    keys = (storage.access_key, storage.secret_key)
    with endpoint(tmp_path_factory.mktemp("photos"), buckets=("street",), keys=keys, tls=False) as made:
        yield made


@pytest.fixture(scope="session")
def flags(cluster: Cluster, storage: Endpoint, photos: Endpoint) -> Iterator[tuple[str, ...]]:
    """The flags of ``create``, and the keys in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", storage.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", storage.secret_key)
        patch.setenv("AWS_CA_BUNDLE", str(storage.authority))
        yield (
            *("--target", "kubernetes"),
            *("--remote-bucket", f"street@{photos.url}"),
            *("--backup-bucket", f"kept@{storage.url}"),
            *("--set", f"kubernetes.node_port={NODE_PORT}"),
            *("--set", f"kubernetes.url=http://{CONTROL.address}:{NODE_PORT}"),
            *("--set", "kubernetes.data_gb=1", "--set", "kubernetes.database_gb=1"),
        )


@pytest.fixture(scope="session")
def pets(lab: Lab, flags: tuple[str, ...], dataset: Path, photos: Endpoint) -> Iterator[Any]:
    """A workspace in the cluster, with three images in its bucket."""
    name = f"k{secrets.token_hex(3)}"
    for path in sorted(dataset.rglob("*")):
        if path.is_file():
            photos.client().upload_file(str(path), "street", str(path.relative_to(dataset)))
    try:
        given = ("--admin-username", ADMIN, "--admin-email", "head@example.org", "--password-stdin")
        yield lab.json("create", name, "--yes", *given, *flags, stdin=f"{PASSWORD}\n")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
