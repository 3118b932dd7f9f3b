"""A new workspace from what another one left: its backups, or a portable dump of its database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker

from labelspace.home import Home
from labelspace.postgres import pgbackrest as described
from labelspace.spec import BackupSpec, WorkspaceSpec
from labelspace_ops.backup import agent, retained, upgrade_test
from labelspace_ops.backup.restore import list_backups
from labelspace_ops.backup.restore_plan import RestorePlan, make_plan
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.reporting import message
from labelspace_ops.stack import state
from labelspace_ops.storage import buckets

DUMP_MAGIC = b"PGDMP"
"""How a file of ``pg_dump --format=custom`` begins."""
WRONG_KEY = "the key does not open them"
"""As in ``labelspace_backup.database``."""


@dataclass(frozen=True)
class Origin:
    """Where a new workspace's annotations come from: a plan for a repository, or a dump."""

    text: str
    source: agent.Repository
    planned: RestorePlan | None
    dump: Path | None = None
    known: tuple[str, ...] = ()
    """The migrations of the CVAT that will run."""


def find(client: docker.DockerClient, text: str, spec: WorkspaceSpec, home: Home) -> Origin:
    """What ``--from-backup`` names: backups in a folder or bucket, the id of one, a dump; changes nothing."""
    path = Path(text).expanduser()
    if path.is_file():
        return _dump(path.resolve(), spec, home)
    source, rows, planned = chosen(client, text, spec, home)
    known = upgrade_test.refuse_newer(client, rows, planned.backup, spec.cvat_version)
    return Origin(text, source, planned, known=tuple(known))


def chosen(
    client: docker.DockerClient, text: str, spec: WorkspaceSpec, home: Home
) -> tuple[agent.Repository, list[dict[str, Any]], RestorePlan]:
    """The repository, its backups, and what is to be restored of it."""
    source, backup = _repository(client, text, spec, home)
    rows = list(agent.call_in_new_container(client, source, "list"))
    return source, rows, make_plan(rows, "", backup, datetime.now(UTC))


def _repository(
    client: docker.DockerClient, text: str, spec: WorkspaceSpec, home: Home
) -> tuple[agent.Repository, str]:
    """Where the backups are, and which; empty for the last archived change."""
    if text.startswith("s3://"):
        return _bucket(text, spec, home), ""
    path = Path(text).expanduser()
    return _folder(client, path.resolve(), home) if path.is_dir() else _by_id(client, text, home)


def _bucket(text: str, spec: WorkspaceSpec, home: Home) -> agent.Repository:
    """What an earlier workspace left in the bucket where the new one's backups will go, too."""
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
    key = home.made_backup_key(spec.name)
    folder, database = str(home.backups / spec.name), spec.external_database
    source = agent.Repository(spec.name, folder, BackupSpec(), key, database=database)
    return Origin(str(path), source, None, path)


def _folder(client: docker.DockerClient, folder: Path, home: Home) -> tuple[agent.Repository, str]:
    if not (folder / "database").is_dir():
        raise UsageError(f"from-backup: {folder} is no folder of a workspace's backups")
    for name, key in _keys(folder.name, home):
        source = agent.Repository(name, str(folder), BackupSpec(), key)
        if _opens(client, source):
            return source, ""
    raise OpsError(
        f"from-backup: the backups in {folder} are encrypted, and no key in {home.keys} opens them: import"
        " the recovery kit of the machine that made them (`labelspace keys import KIT`)"
    )


def _keys(first: str, home: Home) -> Iterator[tuple[str, str]]:
    """Workspace and key, the folder's namesake first: a folder may have been copied under another name."""
    names = [path.name.removeprefix("backup-") for path in sorted(home.keys.glob("backup-*"))]
    for name in sorted(names, key=lambda one: one != first):
        yield name, agent.encryption_key(name, home)


def _opens(client: docker.DockerClient, source: agent.Repository) -> bool:
    try:
        agent.call_in_new_container(client, source, "list")
    except OpsError as error:
        if WRONG_KEY in str(error):
            return False
        raise
    return True


def _by_id(client: docker.DockerClient, backup: str, home: Home) -> tuple[agent.Repository, str]:
    """Whose backup it is, among those of this machine."""
    for name, key in _keys("", home):
        source = _of_this_machine(name, key, home)
        if Path(source.folder).exists() and _holds(client, source, backup):
            return source, backup
    raise UsageError(
        f"from-backup: {backup!r} is neither a folder, nor a dump, nor the id of a backup of this machine"
        f" (`labelspace backups NAME` lists them; their folders are under {home.backups})"
    )


def _of_this_machine(name: str, key: str, home: Home) -> agent.Repository:
    """Only a workspace that is there says whether its backups are in a bucket."""
    if name in state.names(home):
        return agent.workspace_repository(name, home)
    return agent.Repository(name, str(home.backups / name), BackupSpec(), key)


def _holds(client: docker.DockerClient, source: agent.Repository, backup: str) -> bool:
    try:
        return backup in [row["id"] for row in list_backups(client, source)]
    except OpsError:
        return False


def made_from(name: str, home: Home) -> Path:
    """There while a workspace is made from something: what from."""
    return home.backups / name / "made-from"


def _mark(name: str, home: Home) -> Path:
    """As in ``labelspace_backup.restore``: while it lies there, the database does not start."""
    return home.backups / name / "restoring"


def finished(name: str, home: Home) -> None:
    """The workspace is ready: nothing is taken up again."""
    made_from(name, home).unlink(missing_ok=True)


def begin(
    client: docker.DockerClient, spec: WorkspaceSpec, home: Home, *, text: str, reuse_data: bool
) -> Origin | None:
    """What the new workspace's volumes must be filled from, None for nothing; refuses to guess."""
    _must_have_its_files(client, spec.name, home)
    made = made_from(spec.name, home)
    if made.exists():
        must_be_the_same(spec.name, text, made.read_text())
        return find(client, made.read_text(), spec, home) if _mark(spec.name, home).exists() else None
    if spec.external_database:
        return _dump(_dump_file(text), spec, home) if text else None
    in_bucket = _in_bucket(spec, home)
    _must_not_wait_for_a_restore(client, spec.name, home, in_bucket)
    lies = retained.find_retained(spec.name, client, home, in_bucket)
    if text:
        _must_be_new(spec.name, lies, home)
        return find(client, text, spec, home)
    if lies is None:
        return None
    if not reuse_data:
        raise UsageError(
            f"name: {lies}: take that up with --reuse-data, or choose another name; `labelspace delete"
            f" {spec.name} --purge` removes it for good"
        )
    if not lies.volume:
        return find(client, lies.backups, spec, home)
    if lies.backups:
        _must_fit(client, spec, home)
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
    """The URL of the backups that the bucket holds of a workspace of this name, empty for none."""
    bucket = spec.backup.bucket
    if bucket is None or not buckets.holds_backups(bucket, spec.name):
        return ""
    return agent.repository_for(spec, home).where


def _must_fit(client: docker.DockerClient, spec: WorkspaceSpec, home: Home) -> None:
    """What was kept may be of another CVAT: a later one's is refused, an earlier one's is rehearsed."""
    source = agent.repository_for(spec, home)
    whole = [row for row in agent.call_in_new_container(client, source, "list") if row["complete"]]
    if not whole or not whole[-1]["latest"]:
        return
    newest, latest = str(whole[-1]["id"]), whole[-1]["latest"]
    upgrade_test.refuse_newer(client, whole, newest, spec.cvat_version)
    if upgrade_test.migrates(client, latest, spec.cvat_version):
        upgrade_test.rehearse(client, source, newest, spec.cvat_version)


def _must_have_its_files(client: docker.DockerClient, name: str, home: Home) -> None:
    """Empty volumes are never begun in place of CVAT's files."""
    if gone := retained.lost_volumes(name, client, home):
        raise OpsError(
            f"{name}: CVAT's files are lost: the volumes {' and '.join(gone)} are gone:"
            f" `labelspace restore {name}` brings them back from the newest backup that has them"
        )


def _must_not_wait_for_a_restore(client: docker.DockerClient, name: str, home: Home, in_bucket: str) -> None:
    """The database would refuse to start, and the update would wait for it."""
    if _mark(name, home).exists():
        raise OpsError(f"{name}: a restore was interrupted: run the same `labelspace restore` again")
    if retained.only_in_backups(name, client, home, in_bucket):
        raise OpsError(
            f"{name}: the volume of its annotations is gone, and its backups are there:"
            f" `labelspace restore {name}` brings them back"
        )


def must_be_the_same(name: str, text: str, before: str) -> None:
    """The making was interrupted: it goes on from the same."""
    if text and text != before:
        raise UsageError(f"from-backup: {name} is half made from {before}: finish that, or delete it")


def _must_be_new(name: str, lies: retained.RetainedData | None, home: Home) -> None:
    if lies:
        raise UsageError(f"name: {lies}: choose another name for what is made from a backup")
    if retained.has_resources(name, home):
        raise UsageError(f"name: {name!r} is a workspace already: `labelspace restore {name}` brings it back")


def fill(client: docker.DockerClient, origin: Origin, spec: WorkspaceSpec, home: Home) -> None:
    """Fill the volumes of a workspace that does not run; after an interruption, again from the start.

    One that fails leaves nothing behind; raises ``OpsError``.
    """
    name, place = spec.name, home.backups / spec.name
    place.mkdir(parents=True, exist_ok=True)
    made_from(name, home).write_text(origin.text)
    _mark(name, home).write_text("from a backup")
    try:
        _filled(client, origin, spec, place)
    except OpsError as error:
        _forget(client, origin, name, home)
        raise OpsError(f"from-backup: {origin.text}: {error}") from None
    _mark(name, home).unlink(missing_ok=True)


def _filled(client: docker.DockerClient, origin: Origin, spec: WorkspaceSpec, place: Path) -> None:
    planned, name = origin.planned, spec.name
    if planned is None:
        message(f"{name}: loading {origin.dump} (a dump holds no uploaded media)")
        dump = {str(origin.dump): {"bind": agent.DUMP, "mode": "ro"}}
        agent.call_in_new_container(client, origin.source, "load", volumes_of=name, binds=dump)
        return
    message(f"{name}: restoring {planned.moment}, from backup {planned.backup} in {origin.source.where}")
    agent.call_in_new_container(
        client, origin.source, "restore", volumes_of=name,
        backup=planned.backup, target=planned.target, files=planned.files,
        known=origin.known, same_place=origin.source.where == described.location(spec.backup, place, name),
    )  # fmt: skip


def _forget(client: docker.DockerClient, origin: Origin, name: str, home: Home) -> None:
    """What the attempt made; backups that were there before are none of it."""
    _mark(name, home).unlink(missing_ok=True)
    made_from(name, home).unlink()
    if not origin.source.database:
        client.volumes.get(f"labelspace-{name}-database").remove()
    if not any((home.backups / name).iterdir()):
        (home.backups / name).rmdir()
