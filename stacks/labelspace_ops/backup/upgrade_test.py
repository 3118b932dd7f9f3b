"""A new version of CVAT migrates a copy of the backup first; rows that the copy loses are found there."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from labelspace.cvat.config_files import DATABASE_PASSWORD
from labelspace.cvat.images import cvat_image
from labelspace.cvat.services import BACKEND_ENVIRONMENT
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace_ops.backup import agent
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime import docker_engine, images
from labelspace_ops.runtime.pull_errors import PullError

COPY_PASSWORD = "/run/labelspace/copy-password"  # noqa: S105 - a path
MIGRATE = "django-admin migrate --no-input && django-admin migrate --check"
KNOWN = (
    "import django, json; django.setup()\n"
    "from django.db.migrations.loader import MigrationLoader\n"
    "print(json.dumps(sorted('.'.join(key) for key in MigrationLoader(None).disk_migrations)))"
)
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 24 * 3600
MEMORY = "1g"


def rehearse(client: docker.DockerClient, source: agent.Repository, backup: str, version: str) -> None:
    """Restore ``backup`` beside everything, let ``version`` migrate it, compare; raises ``OpsError``.

    Nothing of the workspace is written, and nothing of the rehearsal stays.
    """
    name = source.workspace
    image = require_image(client, version)
    message(f"{name}: rehearsing CVAT {version} on a copy of backup {backup}")
    with _copy(client, source, backup) as (copy, network, password):
        _same(_seen(copy, backup))
        _migrated(client, name, image, network, password)
        _none_lost(_seen(copy, backup))
    message(f"{name}: rehearsed: migrated, and no row of {backup} is missing")


def require_image(client: docker.DockerClient, version: str) -> str:
    """Return the server's image, pulled when the engine lacks it; raises ``UsageError`` when it cannot be."""
    image = cvat_image("server", version)
    try:
        images.ensure(client, [image])
    except PullError as error:
        raise UsageError(f"cvat_version: {version!r}: {error}") from None
    return image


def known_migrations(client: docker.DockerClient, image: str) -> set[str]:
    """Every migration that an image of CVAT's server has, as ``app.name``."""
    said = client.containers.run(
        image,
        entrypoint=["python3", "-c"],
        command=[KNOWN],
        remove=True,
        network_mode="none",
        environment={"CVAT_POSTGRES_HOST": "none", "SMOKESCREEN_OPTS": ""},
        cap_drop=["ALL"],
        mem_limit=MEMORY,
    )
    return set(json.loads(said.decode().strip().splitlines()[-1]))


def drill(client: docker.DockerClient, name: str, backup: str) -> dict[str, Any]:
    """The proof of a backup; ``missing``: migrations of the CVAT that runs which the backup is without."""
    proof: dict[str, Any] = dict(agent.call(agent.require_database(client, name), "drill", backup=backup))
    applied, server = proof.pop("applied", []), docker_engine.containers(client, name).get("server")
    known = known_migrations(client, str(server.attrs["Config"]["Image"])) if applied and server else set()
    return {**proof, "missing": sorted(known - set(applied))}


def refuse_newer(
    client: docker.DockerClient, rows: list[dict[str, Any]], backup: str, version: str
) -> list[str]:
    """Refuse a backup that a later CVAT has migrated: an older one would run on it, and err.

    Returns the migrations of ``version``: what follows the backup is judged when it is restored.
    """
    known = known_migrations(client, require_image(client, version))
    latest = next(row for row in rows if row["id"] == backup).get("latest") or {}
    newer = unknown_migrations(latest, known)
    if newer:
        raise UsageError(
            f"backup: {backup} was migrated by a later CVAT than {version} ({newer[0]}): give that CVAT's"
            " version (cvat_version), or choose an older backup"
        )
    return sorted(known)


def migrates(client: docker.DockerClient, latest: Mapping[str, str], version: str) -> bool:
    """Whether a version of CVAT would migrate a database that is at ``latest``."""
    return later_migrations(latest, known_migrations(client, require_image(client, version)))


def later_migrations(latest: Mapping[str, str], known: set[str]) -> bool:
    """Whether ``known`` has an app's migration that comes after the database's last, or an app of its own."""
    split = [one.split(".", 1) for one in known]
    return any(name > latest.get(app, "") for app, name in split)


def unknown_migrations(latest: Mapping[str, str], known: set[str]) -> list[str]:
    """What a database has of migrations that a version of CVAT lacks; apps that it lacks are not judged."""
    apps = {name.split(".")[0] for name in known}
    return [f"{app}.{name}" for app, name in latest.items() if app in apps and f"{app}.{name}" not in known]


@contextmanager
def _copy(
    client: docker.DockerClient, source: agent.Repository, backup: str
) -> Iterator[tuple[Container, str, str]]:
    """The copy once it serves, its network, its password."""
    name, password = source.workspace, secrets.token_urlsafe(24)
    network = f"labelspace-{name}-rehearsal"
    _remove(client, network)
    labels = {WORKSPACE_LABEL: name, PART_LABEL: "rehearsal"}
    client.networks.create(network, internal=True, labels=labels)
    try:
        one = agent.create_container(
            client, source, "copy", {"backup": backup}, part="rehearsal-copy", network=network
        )
        one.put_archive("/", docker_engine.tar_files({COPY_PASSWORD: password}))
        one.start()
        _until_it_serves(one, backup)
        yield one, network, password
    finally:
        _remove(client, network)


def _remove(client: docker.DockerClient, network: str) -> None:
    """The rehearsal's containers and its network, also those of a command that was killed."""
    for part in ("copy", "migrate"):
        try:
            docker_engine.remove(client.containers.get(f"{network}-{part}"))
        except NotFound:
            continue
    for one in client.networks.list(names=[network]):
        one.remove()


def _until_it_serves(one: Container, backup: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        one.reload()
        if one.status != "running":
            agent.parse_answer(one.logs(stdout=True, stderr=False).decode(errors="replace"))
            raise OpsError(f"the copy of {backup} ended")
        if agent.call(one, "count-copy", backup=backup):
            return
        time.sleep(POLL_SECONDS)
    raise OpsError(f"the copy of {backup} does not serve")


def _seen(copy: Container, backup: str) -> dict[str, dict[str, int]]:
    return dict(agent.call(copy, "count-copy", backup=backup))


def _same(seen: dict[str, dict[str, int]]) -> None:
    if seen["counted"] != seen["recorded"]:
        raise OpsError("the copy differs from what was recorded with its backup: take another backup")


def _none_lost(seen: dict[str, dict[str, int]]) -> None:
    """More rows are a migration's right; fewer are a loss, also in a table that it takes away."""
    counted, recorded = seen["counted"], seen["recorded"]
    lost = [
        f"{table}: {counted.get(table, 'the table is gone')} instead of {rows}"
        for table, rows in sorted(recorded.items())
        if rows and counted.get(table, 0) < rows
    ]
    if lost:
        raise OpsError(f"it would lose rows: {'; '.join(lost[:5])}")


def _migrated(client: docker.DockerClient, name: str, image: str, network: str, password: str) -> None:
    """The new version's own migrations, on the copy; CVAT's files are there to read."""
    settings = {**BACKEND_ENVIRONMENT, "CVAT_POSTGRES_HOST": f"{network}-copy"}
    del settings["DJANGO_SETTINGS_MODULE"]  # the workspace's overlay is not there
    one = client.containers.create(
        image,
        entrypoint=["bash", "-c"],
        command=[MIGRATE],
        name=f"{network}-migrate",
        labels={WORKSPACE_LABEL: name, PART_LABEL: "rehearsal-migrate"},
        environment=settings,
        user="1000:1000",
        network=network,
        volumes={f"labelspace-{name}-data": {"bind": "/home/django/data", "mode": "ro"}},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit=MEMORY,
        init=True,
    )
    one.put_archive("/", docker_engine.tar_files({DATABASE_PASSWORD: password}))
    one.start()
    code = one.wait(timeout=PATIENCE_SECONDS)["StatusCode"]
    if code:
        raise OpsError(f"its migration ended with {code}: {_last_line(one)}")


def _last_line(one: Container) -> str:
    said = one.logs(stdout=False) or one.logs()
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it said nothing"
