"""Creates a workspace from what another one left: its backups, or a dump of its database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labelspace.home import Home
from labelspace.postgres import pgbackrest
from labelspace.spec import BackupSpec, WorkspaceSpec
from labelspace_ops.backup import agent, retained, upgrade_test
from labelspace_ops.backup.models import BackupRow, Standing
from labelspace_ops.backup.restore_plan import RestorePlan, make_plan
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.base import Mount, Runtime
from labelspace_ops.stack import state
from labelspace_ops.stack.state import UnreadableStateError
from labelspace_ops.storage import buckets

DUMP_MAGIC = b"PGDMP"
"""How a file of ``pg_dump --format=custom`` begins."""
WRONG_KEY = "the key does not open them"
"""As in ``labelspace_backup.pgbackrest``."""


@dataclass(frozen=True)
class Origin:
    """Where a new workspace's annotations come from: a plan for a repository, or a dump."""

    text: str
    """As the user named it."""
    source: agent.Repository
    plan: RestorePlan | None
    dump: Path | None = None
    known: tuple[str, ...] = ()
    """The migrations of the CVAT that will run."""


def find(runtime: Runtime, text: str, spec: WorkspaceSpec, home: Home) -> Origin:
    """Find what ``--from-backup`` names: a folder or bucket of backups, the id of one, or a dump."""
    path = Path(text).expanduser()
    if path.is_file():
        return _dump(path.resolve(), spec, home)
    source, rows, plan = choose(runtime, text, spec, home)
    known = upgrade_test.refuse_newer(runtime, rows, plan.backup, spec.cvat_version)
    latest = next(row.latest for row in rows if row.id == plan.backup)
    upgrade_test.refuse_too_old(latest, spec.cvat_version)
    return Origin(text, source, plan, known=tuple(known))


def choose(
    runtime: Runtime, text: str, spec: WorkspaceSpec, home: Home
) -> tuple[agent.Repository, list[BackupRow], RestorePlan]:
    """Return the repository, its backups, and what is restored of it."""
    source, backup = _repository(runtime, text, spec, home)
    rows = agent.list_backups(runtime, source, in_service=False)
    return source, rows, make_plan(rows, "", backup, datetime.now(UTC))


def _repository(runtime: Runtime, text: str, spec: WorkspaceSpec, home: Home) -> tuple[agent.Repository, str]:
    """The repository and the id of a backup, empty for the last archived change."""
    if text.startswith("s3://"):
        return _bucket(text, spec, home), ""
    path = Path(text).expanduser()
    return (
        (_folder(runtime, path.resolve(), home), "")
        if path.is_dir()
        else (_with_backup(runtime, text, home), text)
    )


def _bucket(text: str, spec: WorkspaceSpec, home: Home) -> agent.Repository:
    """Backups of another workspace in the bucket of the new one's backups."""
    bucket = spec.backup.bucket
    if bucket is None:
        raise UsageError(
            f"from-backup: {text}: say how it is reached: --backup-bucket NAME@https://ENDPOINT, with the"
            " keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    old = text.removeprefix(f"s3://{bucket.name}/labelspace/")
    if not re.fullmatch("[a-z0-9-]+", old):
        raise UsageError(f"from-backup: {text}: in the bucket it is s3://{bucket.name}/labelspace/WORKSPACE")
    return agent.Repository(old, str(home.backups / spec.name), spec.backup, agent.encryption_key(old, home))


def must_be_dump(path: Path) -> None:
    """Raise ``UsageError`` for another kind of file."""
    with path.open("rb") as file:
        if file.read(len(DUMP_MAGIC)) != DUMP_MAGIC:
            raise UsageError(
                f"from-backup: {path} is no dump of PostgreSQL: make one with `pg_dump --format=custom`"
            )


def _dump(path: Path, spec: WorkspaceSpec, home: Home) -> Origin:
    must_be_dump(path)
    key, folder = home.made_backup_key(spec.name), str(home.backups / spec.name)
    source = agent.Repository(spec.name, folder, BackupSpec(), key, database=spec.external_database)
    return Origin(str(path), source, None, path)


def _folder(runtime: Runtime, folder: Path, home: Home) -> agent.Repository:
    """A folder may have been copied under another name: each key of this machine is tried."""
    if not (folder / "database").is_dir():
        raise UsageError(f"from-backup: {folder} is no folder of a workspace's backups")
    for name, key in _keys(folder.name, home):
        source = agent.Repository(name, str(folder), BackupSpec(), key)
        if _opens(runtime, source):
            return source
    raise OpsError(
        f"from-backup: the backups in {folder} are encrypted, and no key in {home.keys} opens them: import"
        " the recovery kit of the machine that made them (`labelspace keys import KIT`)"
    )


def _keys(first: str, home: Home) -> Iterator[tuple[str, str]]:
    """Each workspace and its key, beginning with the workspace ``first``."""
    names = [path.name.removeprefix("backup-") for path in sorted(home.keys.glob("backup-*"))]
    for name in sorted(names, key=lambda one: one != first):
        yield name, agent.encryption_key(name, home)


def _opens(runtime: Runtime, source: agent.Repository) -> bool:
    try:
        agent.run(runtime, source, "list")
    except OpsError as error:
        if WRONG_KEY in str(error):
            return False
        raise
    return True


def _with_backup(runtime: Runtime, backup: str, home: Home) -> agent.Repository:
    """The repository of this machine that has a backup of this id."""
    for name, key in _keys("", home):
        source = _of_this_machine(name, key, home)
        if Path(source.folder).exists() and _has_backup(runtime, source, backup):
            return source
    raise UsageError(
        f"from-backup: {backup!r} is neither a folder, nor a dump, nor the id of a backup of this machine"
        f" (`labelspace backups NAME` lists them; their folders are under {home.backups})"
    )


def _of_this_machine(name: str, key: str, home: Home) -> agent.Repository:
    """Only the settings of a workspace that exists tell whether its backups are in a bucket."""
    if name in state.names(home):
        with suppress(UnreadableStateError):
            return agent.workspace_repository(name, home)
    return agent.Repository(name, str(home.backups / name), BackupSpec(), key)


def _has_backup(runtime: Runtime, source: agent.Repository, backup: str) -> bool:
    try:
        return backup in [row.id for row in agent.list_backups(runtime, source, in_service=False)]
    except OpsError:
        return False


def origin_file(name: str, home: Home) -> Path:
    """Return the file that exists while a workspace is created from something; it names what."""
    return home.backups / name / "made-from"


def _restoring_file(name: str, home: Home) -> Path:
    """As ``labelspace_backup.restore.MARK``: while it exists, the database does not start."""
    return home.backups / name / "restoring"


def finished(name: str, home: Home) -> None:
    """Note that the workspace is ready: the next ``create`` does not go on with the import."""
    origin_file(name, home).unlink(missing_ok=True)


def begin(runtime: Runtime, spec: WorkspaceSpec, home: Home, *, text: str, reuse_data: bool) -> Origin | None:
    """Return what the workspace's volumes must be filled from; None for nothing.

    Raises ``UsageError`` where an earlier workspace left data, ``OpsError`` where volumes are lost.
    """
    in_bucket = "" if spec.external_database else _in_bucket(spec, home)
    _check_lost(runtime, spec, home, in_bucket)
    interrupted = origin_file(spec.name, home)
    if interrupted.exists():
        must_be_the_same(spec.name, text, interrupted.read_text())
        is_filled = not _restoring_file(spec.name, home).exists()
        return None if is_filled else find(runtime, interrupted.read_text(), spec, home)
    if spec.external_database:
        return _dump(_dump_file(text), spec, home) if text else None
    _check_restored(spec.name, home)
    left = retained.find_retained(runtime, home, in_bucket)
    if text:
        _check_new(spec.name, left, home)
        return find(runtime, text, spec, home)
    return _reused(runtime, spec, home, left, reuse_data=reuse_data) if left else None


def _reused(
    runtime: Runtime, spec: WorkspaceSpec, home: Home, left: retained.RetainedData, *, reuse_data: bool
) -> Origin | None:
    """The backups of an earlier workspace whose volume is gone; None where its volume is used as it is."""
    if not reuse_data:
        raise UsageError(
            f"name: {left}: `labelspace create {spec.name} --reuse-data` uses it; or choose another name;"
            f" `labelspace delete {spec.name} --purge` removes it for good"
        )
    if not left.volume:
        return find(runtime, left.backups, spec, home)
    if left.backups:
        _check_version(runtime, spec, home)
    return None


def _dump_file(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise UsageError(
            f"from-backup: {text}: an external database is filled from a dump alone: give a file made by"
            " `pg_dump --format=custom`"
        )
    return path


def _in_bucket(spec: WorkspaceSpec, home: Home) -> str:
    """The URL of the backups that the bucket holds of a workspace of this name; empty for none."""
    bucket = spec.backup.bucket
    if bucket is None or not buckets.holds_backups(bucket, spec.name):
        return ""
    return agent.repository_for(spec, home).where


def _check_version(runtime: Runtime, spec: WorkspaceSpec, home: Home) -> None:
    """Refuse data of a later CVAT, and rehearse an upgrade of an earlier one's."""
    source = agent.repository_for(spec, home)
    rows = agent.list_backups(runtime, source, in_service=False)
    newest = next((row for row in reversed(rows) if row.complete), None)
    if newest is None or not newest.latest:
        return
    upgrade_test.refuse_newer(runtime, rows, newest.id, spec.cvat_version)
    upgrade_test.refuse_too_old(newest.latest, spec.cvat_version)
    if upgrade_test.migrates(runtime, newest.latest, spec.cvat_version):
        upgrade_test.rehearse(runtime, source, newest.id, spec.cvat_version)


def _check_lost(runtime: Runtime, spec: WorkspaceSpec, home: Home, in_bucket: str) -> None:
    """Refuse to begin with empty volumes, or without the backups, where there was something."""
    name, where = spec.name, retained.lost_location(spec, home, in_bucket)
    gone = retained.lost_volumes(runtime, home, in_bucket)
    is_one, listed = len(gone) == 1, ", ".join(gone)
    lost = f"the volume {listed} is gone" if is_one else f"the volumes {listed} are gone"
    if gone and where:
        raise OpsError(
            f"{name}: {lost}, and so are its backups in {where}: bring them back (is a disk not"
            f" mounted?), then `labelspace restore {name}`. To begin without them: `labelspace delete {name}"
            f" --purge`, then `labelspace create {name}`"
        )
    if gone:
        raise OpsError(f"{name}: {lost}: `labelspace restore {name}` brings back what was in it")
    if where and not spec.backup.bucket:
        raise OpsError(
            f"{name}: its backups in {where} are gone: bring that folder back (is a disk not mounted?), or"
            f" begin with new backups: `mkdir -p {where}/database`"
        )
    if lost_backups := _lost_in_bucket(runtime, spec, home, in_bucket):
        raise OpsError(f"{name}: {lost_backups}")


def _lost_in_bucket(runtime: Runtime, spec: WorkspaceSpec, home: Home, in_bucket: str) -> str:
    """What an empty bucket held by the record in the database's volume; empty when it never held backups.

    A container with the settings of ``spec`` compares: a running database may still use an earlier bucket.
    """
    can_tell = spec.backup.bucket and not in_bucket and not spec.external_database
    if not can_tell or not retained.has_resources(spec.name, home):
        return ""
    if not runtime.volumes().issuperset(retained.IRREPLACEABLE):
        return ""
    source = agent.repository_for(spec, home)
    return Standing.read(agent.run(runtime, source, "standing", writes_volumes=True)).lost_backups


def _check_restored(name: str, home: Home) -> None:
    """Refuse to update a workspace whose database would refuse to start: the update would wait for it."""
    if _restoring_file(name, home).exists():
        raise OpsError(f"{name}: a restore was interrupted: run it again: `labelspace restore {name}`")


def must_be_the_same(name: str, text: str, before: str) -> None:
    """Raise ``UsageError`` when an interrupted import is continued from something else."""
    if text and text != before:
        raise UsageError(f"from-backup: {name} is half made from {before}: finish that, or delete it")


def _check_new(name: str, left: retained.RetainedData | None, home: Home) -> None:
    if left:
        raise UsageError(f"name: {left}: choose another name for what is made from a backup")
    if retained.has_resources(name, home):
        raise UsageError(f"name: {name!r} is a workspace already: `labelspace restore {name}` brings it back")


def fill(runtime: Runtime, origin: Origin, spec: WorkspaceSpec, home: Home) -> None:
    """Fill the volumes of a workspace that does not run; after an interruption, again from the start.

    Leaves nothing behind when it fails; raises ``OpsError``.
    """
    name = spec.name
    (home.backups / name).mkdir(parents=True, exist_ok=True)
    origin_file(name, home).write_text(origin.text)
    _restoring_file(name, home).write_text("from a backup")
    try:
        _load(runtime, origin) if origin.dump else _restore(runtime, origin, spec, home)
    except OpsError as error:
        _remove_attempt(runtime, origin, home)
        raise OpsError(f"from-backup: {origin.text}: {error}") from None
    _restoring_file(name, home).unlink(missing_ok=True)


def _load(runtime: Runtime, origin: Origin) -> None:
    message(f"{runtime.workspace}: loading {origin.dump} (a dump holds no uploaded media)")
    dump = Mount(str(origin.dump), agent.DUMP, read_only=True)
    agent.run(runtime, origin.source, "load", writes_volumes=True, mounts=(dump,))


def _restore(runtime: Runtime, origin: Origin, spec: WorkspaceSpec, home: Home) -> None:
    source, plan, name = origin.source, origin.plan, spec.name
    assert plan  # noqa: S101 - for the type checker: an origin is a plan or a dump
    message(f"{name}: restoring {plan.moment}, from backup {plan.backup} in {source.where}")
    agent.run(
        runtime, source, "restore", writes_volumes=True,
        backup=plan.backup, target=plan.target, files=plan.files, known=origin.known,
        same_place=source.where == pgbackrest.location(spec.backup, home.backups / name, name),
    )  # fmt: skip


def _remove_attempt(runtime: Runtime, origin: Origin, home: Home) -> None:
    """Remove what a failed import made; backups that were there before stay."""
    name = runtime.workspace
    _restoring_file(name, home).unlink(missing_ok=True)
    origin_file(name, home).unlink()
    if not origin.source.database:
        runtime.remove_volumes(["database"])
    if not any((home.backups / name).iterdir()):
        (home.backups / name).rmdir()
