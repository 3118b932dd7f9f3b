"""A new version of CVAT migrates and serves a copy of a backup first, which shows what it would lose."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from labelspace.cvat.config_files import DATABASE_PASSWORD
from labelspace.cvat.images import cvat_image
from labelspace.cvat.services import BACKEND_ENVIRONMENT
from labelspace.cvat_lines import Drops, least_version, line_of, removed_on_purpose
from labelspace.naming import resource_name
from labelspace_ops.backup import agent, copy_server
from labelspace_ops.backup.copy_server import Copy, CopyServer, last_line
from labelspace_ops.backup.models import BackupRow, Proof, Rehearsal
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
TASKS = "public.engine_task"
"""Without a row here nothing is compared before and after."""
MEMORY = "1g"


@dataclass(frozen=True)
class Counts:
    """Rows by table: in the copy, and as recorded with its backup; and the copy's columns by table."""

    counted: dict[str, int]
    recorded: dict[str, int]
    columns: dict[str, list[str]] = field(default_factory=dict)


def rehearse(
    runtime: Runtime, source: agent.Repository, backup: str, version: str, old: str = ""
) -> Rehearsal:
    """Restore a copy of ``backup``, let ``version`` migrate and serve it, and compare; raises ``OpsError``.

    ``old``: the version that wrote the backup, which serves the copy first; empty where it is not known. The
    workspace is not changed, and nothing of the rehearsal stays.
    """
    name, begun = source.workspace, time.monotonic()
    image = _require_images(runtime, version)
    message(f"{name}: rehearsing CVAT {version} on a copy of backup {backup}")
    with _copy(runtime, source, backup) as copy:
        before = _count(runtime, backup)
        _check_copy(before)
        server = CopyServer(runtime, copy)
        seen = server.observe(old) if old and before.counted.get(TASKS) else None
        _migrate(runtime, image, copy)
        after = _count(runtime, backup)
        declared = removed_on_purpose(old or least_version(), version)
        _check_rows(after, declared)
        dropped = _check_columns(before, after, declared)
        shown = server.observe(version, seen.task if seen else None)
    if seen and (differences := seen.differences(shown)):
        raise OpsError(f"it would change annotations: {'; '.join(differences)}")
    done = Rehearsal(
        backup=backup,
        version=version,
        seconds=round(time.monotonic() - begun, 1),
        rows=sum(after.recorded.values()),
        tables=len(after.recorded),
        dropped=dropped,
        health=shown.health,
        task=shown.task,
        compared={name: int(str(found[0])) for name, found in shown.content.items()} if seen else {},
    )
    message(f"{name}: rehearsed in {done.seconds:.0f} s: {done.sentence}")
    return done


def _require_images(runtime: Runtime, version: str) -> str:
    """Return the server's image, which is pulled if needed with what a server on a copy needs."""
    for image in line_of(version).images.values():
        if not runtime.has_image(image):
            runtime.pull(image)
    return require_image(runtime, version)


def refuse_too_old(latest: Mapping[str, str], version: str) -> None:
    """Raise ``UsageError`` for a database of a CVAT that is older than ``version`` migrates."""
    least = line_of(version).least_from
    if latest and least and least.app not in latest:
        raise UsageError(
            f"cvat_version: {version!r} does not migrate a database of CVAT {least.version} or older: use"
            f" {least_version()} first, then `labelspace upgrade NAME`"
        )


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
        raise OpsError(f"the migrations of {image} cannot be listed: {last_line(result)}")
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
def _copy(runtime: Runtime, source: agent.Repository, backup: str) -> Iterator[Copy]:
    """Serve a copy of the backup."""
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
            yield Copy(network, resource_name(runtime.workspace, COPY), password)
        finally:
            _remove(runtime)


def _remove(runtime: Runtime) -> None:
    """Also the containers that a killed command left."""
    copy_server.remove(runtime)
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


def _check_rows(counts: Counts, declared: Drops) -> None:
    """A migration may add rows. Fewer rows are a loss, also in a table that it removes, unless on purpose."""
    removed = {f"public.{table}" for table in declared.tables}
    lost = [
        f"{table}: {counts.counted.get(table, 'the table is gone')} instead of {rows}"
        for table, rows in sorted(counts.recorded.items())
        if rows and counts.counted.get(table, 0) < rows and table not in removed
    ]
    if lost:
        raise OpsError(f"it would lose rows: {'; '.join(lost[:5])}")


def _check_columns(before: Counts, after: Counts, declared: Drops) -> list[str]:
    """Return the columns that are gone, as ``table.column``; raise ``OpsError`` for one that is not declared.

    A column of a table without rows holds nothing.
    """
    gone = [
        f"{table.removeprefix('public.')}.{column}"
        for table, columns in sorted(before.columns.items())
        for column in columns
        if before.counted.get(table) and column not in after.columns.get(table, columns)
    ]
    known = {f"{table}.{column}" for table, columns in declared.columns.items() for column in columns}
    if lost := [column for column in gone if column not in known]:
        raise OpsError(f"it would drop columns that its line does not name: {', '.join(lost[:5])}")
    return gone


def _migrate(runtime: Runtime, image: str, copy: Copy) -> None:
    """Run the new version's migrations on the copy; it can read CVAT's files."""
    name = runtime.workspace
    environment = {**BACKEND_ENVIRONMENT, "CVAT_POSTGRES_HOST": copy.host}
    del environment["DJANGO_SETTINGS_MODULE"]  # the workspace's own settings are not in this container
    result = runtime.run(
        Job(
            image,
            ["bash", "-c", MIGRATE],
            part=MIGRATION,
            mounts=(Mount(resource_name(name, "data"), "/home/django/data", read_only=True),),
            files={DATABASE_PASSWORD: copy.password},
            networks=(copy.network,),
            environment=environment,
            user="1000:1000",
            memory=MEMORY,
        )
    )
    if result.exit_code:
        raise OpsError(f"its migration ended with {result.exit_code}: {last_line(result)}")
