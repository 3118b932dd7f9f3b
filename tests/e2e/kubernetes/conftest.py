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
from testbed.shell import exclusive, run, works
from tests.e2e.kubernetes.storage import ACCESS_KEY, SECRET_KEY, Storage, serve
from tests.e2e.lab import ADMIN, PASSWORD, Lab

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.postgres import pgbackrest

CONTEXT = "testbed"
NODE_PORT = 30080
URL = f"http://{CONTROL.address}:{NODE_PORT}"


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
    if not works(["docker", "image", "inspect", database]):
        context = str(pgbackrest.CONTEXT)
        run(["docker", "build", "--quiet", "--tag", database, context], env={"DOCKER_BUILDKIT": "0"})
    parts = ("redis", "kvrocks", "opa", "caddy", "rclone", "server", "ui")
    return [*(IMAGES[part] for part in parts), database]


@pytest.fixture(scope="session")
def kept(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """The bucket of the backups, over HTTPS."""
    with serve(tmp_path_factory.mktemp("kept"), "kept", 32071, tls=True) as made:
        yield made


@pytest.fixture(scope="session")
def photos(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Iterator[Storage]:
    """The dataset bucket ``street`` with its files."""
    with serve(tmp_path_factory.mktemp("photos"), "street", 32072, tls=False) as made:
        for path in (one for one in sorted(dataset.rglob("*")) if one.is_file()):
            made.client().upload_file(str(path), "street", str(path.relative_to(dataset)))
        yield made


@pytest.fixture(scope="module")
def flags(kept: Storage, photos: Storage) -> Iterator[tuple[str, ...]]:
    """The flags of ``create``; the keys are in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        patch.setenv("AWS_CA_BUNDLE", str(kept.certificate))
        yield (
            *("--yes", "--target", "kubernetes", "--context", CONTEXT),
            *("--remote-bucket", f"street@{photos.url}"),
            *("--backup-bucket", f"kept@{kept.url}"),
            *("--set", f"kubernetes.node_port={NODE_PORT}"),
            *("--set", f"kubernetes.url={URL}"),
            *("--set", "kubernetes.data_gb=1", "--set", "kubernetes.database_gb=1"),
            *("--admin-username", ADMIN, "--admin-email", "head@example.org", "--password-stdin"),
        )


@pytest.fixture(scope="module")
def pets(lab: Lab, flags: tuple[str, ...]) -> Iterator[Any]:
    """A workspace in the cluster; it is purged at the end."""
    name = f"k{secrets.token_hex(3)}"
    try:
        yield lab.json("create", name, *flags, stdin=f"{PASSWORD}\n")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
