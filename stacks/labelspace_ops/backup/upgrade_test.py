"""A new version of CVAT migrates a copy of a backup first, which shows whether it would lose rows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from labelspace.cvat.config_files import DATABASE_PASSWORD
from labelspace.cvat.images import cvat_image
from labelspace.cvat.services import BACKEND_ENVIRONMENT
from labelspace.naming import resource_name
from labelspace_ops.backup import agent
from labelspace_ops.backup.models import BackupRow, Proof
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.core.waiting import wait_until
from labelspace_ops.runtime.base import Job, Mount, Runtime

COPY_PASSWORD = "/run/labelspace/copy-password"  # noqa: S105 - a path
COPY, MIGRATION, NETWORK = "rehearsal-copy", "rehearsal-migrate", "rehearsal"
MIGRATE = "django-admin migrate --no-input && django-admin migrate --check"
KNOWN = (
    "import django, json; django.setup()\n"
    "from django.db.migrations.loader import MigrationLoader\n"
    "print(json.dumps(sorted('.'.join(key) for key in MigrationLoader(None).disk_migrations)))"
)
PATIENCE_SECONDS = 24 * 3600
MEMORY = "1g"


@dataclass(frozen=True)
class Counts:
    """Rows by table: in the copy, and as recorded with its backup."""

    counted: dict[str, int]
    recorded: dict[str, int]


def rehearse(runtime: Runtime, source: agent.Repository, backup: str, version: str) -> None:
    """Restore a copy of ``backup``, let ``version`` migrate it, compare its rows; raises ``OpsError``.

    The workspace is not changed, and nothing of the rehearsal stays.
    """
    name = source.workspace
    image = require_image(runtime, version)
    message(f"{name}: rehearsing CVAT {version} on a copy of backup {backup}")
    with _copy(runtime, source, backup) as (network, password):
        _check_copy(_count(runtime, backup))
        _migrate(runtime, image, network, password)
        _check_rows(_count(runtime, backup))
    message(f"{name}: rehearsed: migrated, and no row of {backup} is missing")


def require_image(runtime: Runtime, version: str) -> str:
    """Return the server's image, pulled if needed; raises ``UsageError`` when it cannot be pulled."""
    image = cvat_image("server", version)
    if not runtime.has_image(image):
        try:
            runtime.pull(image)
        except OpsError as error:
            raise UsageError(f"cvat_version: {version!r}: {error}") from None
    return image


def known_migrations(runtime: Runtime, image: str) -> set[str]:
    """Return every migration in an image of CVAT's server, as ``app.name``."""
    environment = {"CVAT_POSTGRES_HOST": "none", "SMOKESCREEN_OPTS": ""}
    result = runtime.run(Job(image, ["python3", "-c", KNOWN], environment=environment, memory=MEMORY))
    listed = [line for line in result.output.splitlines() if line.startswith("[")]
    if result.exit_code or not listed:
        raise OpsError(
            f"the migrations of {image} cannot be listed: {_last_line(result.errors or result.output)}"
        )
    return set(json.loads(listed[-1]))


def drill(runtime: Runtime, backup: str) -> Proof:
    """Prove a backup; ``missing``: migrations of the running CVAT that the backup is without."""
    proof = dict(agent.call(runtime, "drill", backup=backup))
    applied, server = proof.get("applied"), runtime.services().get("server")
    known = known_migrations(runtime, server.image) if applied and server else set()
    return Proof.read({**proof, "missing": sorted(known - set(applied or []))})


def refuse_newer(runtime: Runtime, rows: list[BackupRow], backup: str, version: str) -> list[str]:
    """Return the migrations of ``version``; raises ``UsageError`` if a later CVAT migrated the backup.

    Changes after the backup are checked when it is restored.
    """
    known = known_migrations(runtime, require_image(runtime, version))
    latest = next(row.latest for row in rows if row.id == backup)
    newer = unknown_migrations(latest, known)
    if newer:
        raise UsageError(
            f"backup: {backup} was migrated by a later CVAT than {version} ({newer[0]}): give that CVAT's"
            " version (cvat_version), or choose an older backup"
        )
    return sorted(known)


def migrates(runtime: Runtime, latest: Mapping[str, str], version: str) -> bool:
    """Return whether a version of CVAT would migrate a database that is at ``latest``."""
    return later_migrations(latest, known_migrations(runtime, require_image(runtime, version)))


def later_migrations(latest: Mapping[str, str], known: set[str]) -> bool:
    """Return whether ``known`` has a migration that comes after the database's last of its app."""
    split = [one.split(".", 1) for one in known]
    return any(name > latest.get(app, "") for app, name in split)


def unknown_migrations(latest: Mapping[str, str], known: set[str]) -> list[str]:
    """Return a database's migrations that a version of CVAT lacks, of the apps that it has."""
    apps = {name.split(".")[0] for name in known}
    return [f"{app}.{name}" for app, name in latest.items() if app in apps and f"{app}.{name}" not in known]


@contextmanager
def _copy(runtime: Runtime, source: agent.Repository, backup: str) -> Iterator[tuple[str, str]]:
    """Serve a copy of the backup; yields its network and its password."""
    password = secrets.token_urlsafe(24)
    _remove(runtime)
    with runtime.network(NETWORK, internal=True) as network:
        job = agent.job(
            runtime, source, "copy", {"backup": backup}, part=COPY, networks=(network,),
            files={COPY_PASSWORD: password},
        )  # fmt: skip
        try:
            runtime.launch(job)
            _wait_until_served(runtime, backup)
            yield network, password
        finally:
            _remove(runtime)


def _remove(runtime: Runtime) -> None:
    """Also the containers that a killed command left."""
    runtime.remove({COPY, MIGRATION} & runtime.services().keys())


def _wait_until_served(runtime: Runtime, backup: str) -> None:
    def serves() -> bool:
        if not runtime.services()[COPY].running:
            log = runtime.read_log(COPY)
            agent.parse_answer(log.text if log else "")
            raise OpsError(f"the copy of {backup} ended")
        return bool(agent.call_service(runtime, COPY, "count-copy", backup=backup))

    failure = f"the copy of {backup} does not serve"
    wait_until(serves, timeout=PATIENCE_SECONDS, interval=1, on_timeout=failure)


def _count(runtime: Runtime, backup: str) -> Counts:
    return Counts(**agent.call_service(runtime, COPY, "count-copy", backup=backup))


def _check_copy(counts: Counts) -> None:
    if counts.counted != counts.recorded:
        raise OpsError("the copy differs from what was recorded with its backup: take another backup")


def _check_rows(counts: Counts) -> None:
    """A migration may add rows. Fewer rows are a loss, also in a table that it removes."""
    lost = [
        f"{table}: {counts.counted.get(table, 'the table is gone')} instead of {rows}"
        for table, rows in sorted(counts.recorded.items())
        if rows and counts.counted.get(table, 0) < rows
    ]
    if lost:
        raise OpsError(f"it would lose rows: {'; '.join(lost[:5])}")


def _migrate(runtime: Runtime, image: str, network: str, password: str) -> None:
    """Run the new version's migrations on the copy; it can read CVAT's files."""
    name = runtime.workspace
    environment = {**BACKEND_ENVIRONMENT, "CVAT_POSTGRES_HOST": resource_name(name, COPY)}
    del environment["DJANGO_SETTINGS_MODULE"]  # the workspace's own settings are not in this container
    result = runtime.run(
        Job(
            image,
            ["bash", "-c", MIGRATE],
            part=MIGRATION,
            mounts=(Mount(resource_name(name, "data"), "/home/django/data", read_only=True),),
            files={DATABASE_PASSWORD: password},
            networks=(network,),
            environment=environment,
            user="1000:1000",
            memory=MEMORY,
        )
    )
    if result.exit_code:
        raise OpsError(
            f"its migration ended with {result.exit_code}: {_last_line(result.errors or result.output)}"
        )


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "without any output"
