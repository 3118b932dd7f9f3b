"""A new workspace at Scaleway from another one's backup: made portable here, loaded on the server."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labelspace.home import Home
from labelspace.naming import resource_name
from labelspace.spec import ScalewaySpec
from labelspace_ops.backup import agent, import_backup, upgrade_test
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.library_errors import reason
from labelspace_ops.core.reporting import message
from labelspace_ops.runtime.base import Mount
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.targets.scaleway import account, retained
from labelspace_ops.targets.scaleway import ssh as server_ssh

OBJECT = re.compile(r"s3://([a-z0-9.-]+)/(.+\.dump)")
FOLDER = "/var/lib/labelspace/from"
"""On the server's data volume."""
MIGRATIONS = ("pg_restore", "--data-only", "--table=django_migrations", "--file=-")


@dataclass(frozen=True)
class Portable:
    """A dump, and CVAT's files where there are any; ``text`` is what they were asked for by."""

    text: str
    dump: Path
    media: Path | None


@contextmanager
def begun(
    spec: ScalewaySpec, resources: retained.Resources, home: Home, text: str
) -> Iterator[Portable | None]:
    """What a new workspace begins with, made ready before anything is created; None for nothing.

    Raises ``UsageError`` for what cannot be. An attempt that ended half-way goes on with the same.
    """
    before = half_made(spec.name, home)
    if not (before or text):
        yield None
        return
    if before:
        import_backup.must_be_the_same(spec.name, text, before)
    else:
        _must_be_new(spec, resources)
    _require_ssh(spec)
    with tempfile.TemporaryDirectory(prefix="portable-", dir=home.root) as folder:
        yield _portable(before or text, spec, home, Path(folder))


def _require_ssh(spec: ScalewaySpec) -> None:
    if not spec.scaleway.ssh_cidrs:
        raise UsageError(
            "from-backup: it is brought to the server over SSH, and scaleway.ssh_cidrs is empty: add"
            " --set scaleway.ssh_cidrs=NETWORK (yours, such as 203.0.113.7/32; several with commas)"
        )


def mark(name: str, home: Home, begins: Portable) -> None:
    """From now on the workspace is half made, until ``forget``."""
    place = import_backup.origin_file(name, home)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(begins.text)


def forget(name: str, home: Home) -> None:
    """It is made, or given up."""
    place = import_backup.origin_file(name, home)
    if place.exists():
        place.unlink()
        place.parent.rmdir()


def half_made(name: str, home: Home) -> str:
    """What a workspace is still to be filled from; empty for nothing."""
    place = import_backup.origin_file(name, home)
    return place.read_text() if place.exists() else ""


def _must_be_new(spec: ScalewaySpec, resources: retained.Resources) -> None:
    if resources:
        raise UsageError(
            f"name: {spec.name!r} is a workspace already: `labelspace restore {spec.name}` brings it back"
        )


def must_hold_nothing(whole: ScalewaySpec, home: Home) -> None:
    """Raise ``UsageError`` where the account holds what an earlier workspace of the name left."""
    left_by_another = whole.scaleway.adopt_volume or whole.scaleway.adopt_backups
    if left_by_another and not half_made(whole.name, home):
        raise UsageError(
            f"name: an earlier workspace {whole.name} left its data at Scaleway: choose another name for what"
            " is made from a backup"
        )


def _portable(text: str, spec: ScalewaySpec, home: Home, folder: Path) -> Portable:
    path = Path(text).expanduser()
    if path.is_file():
        import_backup.must_be_dump(path)
        return Portable(str(path.resolve()), path.resolve(), None)
    if text.startswith("s3://"):
        return _fetched(text, spec, folder / "dump")
    return _packed(text, spec, home, folder)


def _fetched(text: str, spec: ScalewaySpec, into: Path) -> Portable:
    """A dump of another workspace, by the account's own keys."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    named_so = OBJECT.fullmatch(text)
    if named_so is None:
        raise UsageError(
            f"from-backup: {text}: a dump in a bucket is s3://BUCKET/dumps/ID.dump; backups of pgBackRest are"
            " first brought to this machine: `labelspace create NEW --backup-bucket BUCKET@ENDPOINT"
            f" --from-backup {text}`, then `--from-backup` with the id of a backup of NEW"
        )
    message(f"{spec.name}: fetching {text}")
    try:
        account.find().storage(spec.scaleway.region, "").download_file(named_so[1], named_so[2], str(into))
    except (BotoCoreError, ClientError) as error:
        raise UsageError(
            f"from-backup: {text} cannot be had ({reason(error)}): check name and rights of the bucket"
        ) from None
    import_backup.must_be_dump(into)
    return Portable(text, into, None)


def _packed(text: str, spec: ScalewaySpec, home: Home, folder: Path) -> Portable:
    """Restored in a container of this machine, which holds nothing else."""
    runtime = DockerRuntime.here(spec.name)
    source, _, plan = import_backup.choose(runtime, text, spec, home)
    message(f"{spec.name}: packing {plan.moment}, from backup {plan.backup} in {source.where}")
    try:
        packed = agent.run(
            runtime, source, "portable", mounts=(Mount(str(folder), agent.PORTABLE),),
            backup=plan.backup, target=plan.target, files=plan.files,
        )  # fmt: skip
    except OpsError as error:
        raise OpsError(f"from-backup: {text}: {error}") from None
    return Portable(text, folder / "dump", folder / "media.tar" if packed["media"] else None)


def fill(server: server_ssh.Server, begins: Portable) -> None:
    """Bring the annotations to the server and load them, all or none of them."""
    server.run("systemctl", "start", "labelspace.service")  # ends when CVAT is ready
    server.run("mkdir", "--parents", "--mode=700", FOLDER)
    files = {"dump": begins.dump, "media.tar": begins.media}
    sent = [_sent(server, file, name) for name, file in files.items() if file]
    try:
        _must_be_known(server, begins.text, sent[0])
        message(f"{server.name}: loading {begins.text}")
        server.run("labelspace-restore", *sent)
    finally:
        server.run("rm", "--recursive", "--force", FOLDER)


def _sent(server: server_ssh.Server, file: Path, name: str) -> str:
    message(f"{server.name}: sending {file.stat().st_size / 1e6:.1f} MB")
    where = f"{FOLDER}/{name}"
    server.send(file, where)
    return where


def _must_be_known(server: server_ssh.Server, text: str, dump: str) -> None:
    """An older CVAT would run on what a later one has migrated, and err."""
    inside = ["docker", "exec", resource_name(server.name, "server"), "python3", "-c", upgrade_test.KNOWN]
    said = server.run(*inside).strip().splitlines()
    if not said:
        raise OpsError(f"{server.name}: its engine lost what CVAT said: run the same again")
    known = set(json.loads(said[-1]))
    listed = server.run("bash", "-c", f'exec labelspace-postgres {" ".join(MIGRATIONS)} <"$1"', "-", dump)
    newer = upgrade_test.unknown_migrations(_latest(listed), known)
    if newer:
        raise UsageError(
            f"from-backup: {text} was migrated by a later CVAT ({newer[0]}): `labelspace delete"
            f" {server.name}`, and create it again with that CVAT's version (--cvat-version)"
        )


def _latest(listed: str) -> dict[str, str]:
    """Each app's last migration, of the rows as ``COPY`` writes them: id, app, name, time."""
    rows = [line.split("\t") for line in listed.splitlines()]
    latest: dict[str, str] = {}
    for row in rows:
        if len(row) == 4 and row[0].isdigit():
            latest[row[1]] = max(latest.get(row[1], ""), row[2])
    return latest
