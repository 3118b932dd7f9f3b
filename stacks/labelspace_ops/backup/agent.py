"""Calls the backup program: in the database's container, or in one of its own while the database is down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.postgres import external, pgbackrest
from labelspace.spec import BackupSpec, ExternalDatabaseSpec, WorkspaceSpec, parse_spec
from labelspace_ops.backup.models import BackupRow, BackupTaken, Measured, Proof, Schedule, Standing
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Job, Mount, Runtime, RuntimeFailedError

PROGRAM = ("python3", "-m", "labelspace_backup")
ANSWER = "/tmp/labelspace-answer"  # noqa: S108 - inside the container
"""As in ``labelspace_backup.__main__``."""
PROGRAM_EXIT_CODES = (0, 1)
"""Every other code is the runtime's, or a signal."""
DUMP = "/run/labelspace/dump"
"""As in ``labelspace_backup.load``."""
PORTABLE = "/run/labelspace/portable"
"""As in ``labelspace_backup.portable``."""
VOLUMES = {"database": pgbackrest.DATA, **pgbackrest.FILE_VOLUMES, "redis": "/redis", "cache": "/cache"}
"""The volumes that a restore writes: their paths in the container."""
PARTS = ("database", external.PART)
"""The service with the backup program: the database, or the backups of an external one."""
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")


class ContainerExitedError(OpsError):
    """The container ended before the program answered."""


@dataclass(frozen=True)
class Repository:
    """Where backups are, and how they are opened; paths are those of the runtime's machine."""

    workspace: str
    """Whose backups they are."""
    folder: str
    """A path, or the name of a volume; with a bucket it holds only results of drills."""
    backup: BackupSpec
    key: str
    network: str = "bridge"
    """The runtime's network from which a bucket is reached."""
    authorities: str = ""
    """A file with the certificate authorities to trust; empty: those of the image."""
    database: ExternalDatabaseSpec | None = None
    """The external database that is backed up; None: the workspace's own."""

    @property
    def files(self) -> dict[str, str]:
        """The files of the backup program by their path in a container; they hold secrets."""
        if self.database:
            return external.secret_files(self.workspace, self.backup, self.key, self.database)
        return pgbackrest.secret_files(self.workspace, self.backup, self.key)

    @property
    def is_remote(self) -> bool:
        """Whether the program needs a network: for the bucket or the database."""
        return bool(self.backup.bucket or self.database)

    @property
    def where(self) -> str:
        """The folder, or the bucket's URL."""
        return pgbackrest.location(self.backup, Path(self.folder), self.workspace)

    def mounts(self, *, read_only: bool) -> tuple[Mount, ...]:
        """Return the folder and the authorities; raises ``OpsError`` when there is no such folder.

        An engine would make a missing folder, which would pass for one without backups.
        """
        is_there = not Path(self.folder).is_absolute() or Path(self.folder).exists()
        if not is_there and not self.backup.bucket:
            raise OpsError(f"{self.workspace}: there are no backups: {self.folder} does not exist")
        folder = (Mount(self.folder, pgbackrest.REPOSITORY, read_only),) if is_there else ()
        if not self.authorities:
            return folder
        return (*folder, Mount(self.authorities, pgbackrest.AUTHORITIES, read_only=True))


def backup_service(runtime: Runtime) -> str:
    """Return the service with the backup program, running or not; empty when it does not exist."""
    services = runtime.services()
    return next((part for part in PARTS if part in services), "")


def running_service(runtime: Runtime) -> str:
    """Return the service with the backup program while it runs; empty when it does not."""
    services = runtime.services()
    return next((part for part in PARTS if part in services and services[part].running), "")


def call(runtime: Runtime, verb: str, **given: Any) -> Any:
    """Return the program's answer; raises ``OpsError`` with its reason, or when the database does not run."""
    service, name = running_service(runtime), runtime.workspace
    if not service:
        raise OpsError(f"{name}: its database does not run: `labelspace start {name}` starts it")
    return call_service(runtime, service, verb, **given)


def call_service(runtime: Runtime, service: str, verb: str, **given: Any) -> Any:
    """As ``call``, in a service that was chosen; raises ``ContainerExitedError`` when it ends meanwhile."""
    try:
        result = runtime.exec(service, [*PROGRAM, verb, json.dumps(given)])
    except (RuntimeFailedError, KeyError) as error:
        raise ContainerExitedError(f"the container {service} ended: {error}") from None
    if result.exit_code not in PROGRAM_EXIT_CODES:
        reason = result.output.strip()[-300:] or result.exit_code
        raise ContainerExitedError(f"the container {service} ended: {reason}")
    return parse_answer(result.output if result.output.strip() else _stored_answer(runtime, service, verb))


def _stored_answer(runtime: Runtime, service: str, verb: str) -> str:
    """Read the file of the answer: an engine can lose what a program prints (moby/moby#27289)."""
    try:
        return runtime.read_file(service, f"{ANSWER}-{verb}").decode()
    except (FileNotFoundError, KeyError, OpsError) as error:
        raise ContainerExitedError(f"the engine lost the database's answer ({error}): try again") from None


def call_or_run(runtime: Runtime, source: Repository, verb: str, *, writes_volumes: bool = False) -> Any:
    """Call the program in its service, or in a container of its own where the service keeps ending."""
    if service := running_service(runtime):
        try:
            return call_service(runtime, service, verb)
        except ContainerExitedError:
            pass
    return run(runtime, source, verb, writes_volumes=writes_volumes)


def parse_answer(output: str) -> Any:
    """Return the JSON of the last line; raises ``OpsError`` with the program's reason."""
    lines = output.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise OpsError(f"the backup program answered: {output.strip()[-300:] or 'nothing'}") from None
    if isinstance(answer, dict) and "failed" in answer:
        raise OpsError(str(answer["failed"]))
    return answer


def run(
    runtime: Runtime,
    source: Repository,
    verb: str,
    *,
    writes_volumes: bool = False,
    mounts: tuple[Mount, ...] = (),
    **given: Any,
) -> Any:
    """As ``call``, in a container of its own.

    ``writes_volumes``: it can write the volumes of the runtime's workspace. Such a container has a fixed
    name, so that there is one at a time.
    """
    volumes = _volumes(runtime, source) if writes_volumes else ()
    part = "restore" if writes_volumes else ""
    described = job(runtime, source, verb, given, part=part, mounts=(*volumes, *mounts))
    return parse_answer(runtime.run(described).output)


def job(
    runtime: Runtime,
    source: Repository,
    verb: str,
    given: dict[str, Any],
    *,
    part: str = "",
    mounts: tuple[Mount, ...] = (),
    networks: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
) -> Job:
    """Describe a container for ``verb``; backups of another workspace can only be read there."""
    folders = source.mounts(read_only=source.workspace != runtime.workspace)
    return Job(
        image=_image(runtime),
        command=[*PROGRAM, verb, json.dumps(given)],
        part=part,
        mounts=(*folders, *mounts),
        files={**source.files, **(files or {})},
        networks=(*((source.network,) if source.is_remote else ()), *networks),
        capabilities=CAPABILITIES,
    )


def _volumes(runtime: Runtime, source: Repository) -> tuple[Mount, ...]:
    parts = [part for part in VOLUMES if not (source.database and part == "database")]
    return tuple(Mount(runtime.make_volume(part), VOLUMES[part]) for part in parts)


def _image(runtime: Runtime) -> str:
    """Return the program's image; it is built as the stack would where the stack has not yet."""
    name = pgbackrest.image_name()
    if not runtime.has_image(name):
        if not runtime.has_image(IMAGES["postgres"]):
            runtime.pull(IMAGES["postgres"])
        runtime.build(name, pgbackrest.CONTEXT)
    return name


def encryption_key(name: str, home: Home) -> str:
    """Return the key of a workspace's backups; raises ``OpsError`` when this machine does not have it."""
    try:
        return home.backup_key(name).read_text().strip()
    except FileNotFoundError:
        raise OpsError(
            f"{name}: its backups are encrypted and this machine has no key for them"
            f" ({home.backup_key(name)}):"
            " import the recovery kit of the machine that made them (`labelspace keys import KIT`)"
        ) from None


def repository_for(spec: WorkspaceSpec, home: Home) -> Repository:
    """Return the repository of a spec; raises ``OpsError`` when this machine has no key for it."""
    name, given = spec.name, spec.backup.encryption_key
    key = given.get_secret_value() if given else encryption_key(name, home)
    return Repository(name, str(home.backups / name), spec.backup, key, database=spec.external_database)


def workspace_repository(name: str, home: Home) -> Repository:
    """Return the repository of a workspace that exists, as its settings say."""
    from labelspace_ops.stack import automation as stack  # noqa: PLC0415 - brings Pulumi with it

    return repository_for(parse_spec(stack.read_settings(stack.select(name, home))), home)


def list_backups(runtime: Runtime, source: Repository, *, in_service: bool = True) -> list[BackupRow]:
    """Return the backups, oldest first, whether the database runs or not."""
    return parse_rows(call_or_run(runtime, source, "list") if in_service else run(runtime, source, "list"))


def parse_rows(rows: list[dict[str, Any]]) -> list[BackupRow]:
    """Parse the answer to the verb ``list``."""
    return [BackupRow.read({**row, "proof": row["proof"] and Proof.read(row["proof"])}) for row in rows]


def take_backup(runtime: Runtime, *, full: bool = False, throttled: bool = False) -> BackupTaken:
    """Take a backup now. ``throttled``: slowly, so that annotators can work meanwhile."""
    taken = call(runtime, "backup", kind="full" if full else "incr", throttled=throttled)
    return BackupTaken(name=runtime.workspace, **taken)


def accept(runtime: Runtime, source: Repository, backup: str) -> None:
    """Accept fewer files in a backup, or the loss of the backups up to it, also of a stopped workspace."""
    if running_service(runtime) or source.database:
        call(runtime, "accept", backup=backup)
    else:
        run(runtime, source, "accept-loss", writes_volumes=True, backup=backup)


def parse_state(answer: dict[str, Any]) -> Measured:
    """Parse the answer to the verb ``state``."""
    parsed = {
        "backups": [BackupRow.read(row) for row in answer["backups"]],
        "drill": Proof.read(answer["drill"]) if answer["drill"] else None,
        "schedule": Schedule.read(answer["schedule"]),
    }
    return Measured.read({**answer, **parsed})


def standing(runtime: Runtime, source: Repository) -> Standing:
    """Return what is in the workspace's volumes, which are made where they are missing."""
    return Standing.read(call_or_run(runtime, source, "standing", writes_volumes=True))
