"""Asks the backup program: in the database's container, or in one of its own while the database is down.

The engine is this machine's, or that of a server elsewhere: paths are those of the engine's machine.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from labelspace.cvat.images import IMAGES
from labelspace.home import Home
from labelspace.naming import PART_LABEL, WORKSPACE_LABEL
from labelspace.postgres import external
from labelspace.postgres import pgbackrest as described
from labelspace.spec import BackupSpec, ExternalDatabaseSpec, WorkspaceSpec, parse_spec
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime import docker_engine, images

PROGRAM = ["python3", "-m", "labelspace_backup"]
KEPT = "/tmp/labelspace-answer"  # noqa: S108 - inside the container
"""As in ``labelspace_backup.__main__``."""
ENDS = (0, 1)
"""The program's own exit codes; every other one is the engine's, or a signal."""
DUMP = "/run/labelspace/dump"
"""As in ``labelspace_backup.load``."""
PORTABLE = "/run/labelspace/portable"
"""As in ``labelspace_backup.portable``."""
Binds = dict[str, dict[str, str]]
"""Folders, files and volumes of the engine's machine, as its library takes them."""
VOLUMES = {"database": described.DATA, **described.FILE_VOLUMES, "redis": "/redis", "cache": "/cache"}
"""What a restore writes, by the name of the workspace's volume."""


class ContainerExitedError(OpsError):
    """The container that was asked ended before it answered."""


@dataclass(frozen=True)
class Repository:
    """A repository: whose backups, where its folder is, its settings and its key."""

    workspace: str
    folder: str
    """A path, or the name of a volume; with a bucket, proofs alone lie there."""
    backup: BackupSpec
    key: str
    network: str = "bridge"
    """By which of the engine's networks a bucket is reached."""
    authorities: str = ""
    """The engine's machine's file of whom it trusts; empty: the image's own."""
    database: ExternalDatabaseSpec | None = None
    """The external database that is backed up; None: the workspace's own."""

    @property
    def files(self) -> dict[str, str]:
        """The files of the backup program by their path in a container; they hold secrets."""
        if self.database:
            return external.secret_files(self.workspace, self.backup, self.key, self.database)
        return described.secret_files(self.workspace, self.backup, self.key)

    @property
    def is_remote(self) -> bool:
        """Whether the program needs a network: for the bucket or the database."""
        return bool(self.backup.bucket or self.database)

    @property
    def where(self) -> str:
        """The folder, or the bucket's URL."""
        return described.location(self.backup, Path(self.folder), self.workspace)


BACKUP_PARTS = ("database", external.PART)
"""The container with the backup program: the database's, or that of an external database."""


def backup_container(client: docker.DockerClient, name: str) -> Container | None:
    """The container with the backup program, running or not."""
    mine = docker_engine.containers(client, name)
    return next((mine[part] for part in BACKUP_PARTS if part in mine), None)


def database(client: docker.DockerClient, name: str) -> Container | None:
    """The same when it runs."""
    one = backup_container(client, name)
    return one if one and one.status == "running" else None


def require_database(client: docker.DockerClient, name: str) -> Container:
    """The workspace's running database; raises ``OpsError`` when it does not run."""
    running = database(client, name)
    if running is None:
        raise OpsError(f"{name}: its database does not run: `labelspace start {name}` starts it")
    return running


def call(one: Container, verb: str, **given: Any) -> Any:
    """The program's answer; raises ``OpsError`` with its reason."""
    try:
        code, said = docker_engine.exec_in(one, [*PROGRAM, verb, json.dumps(given)])
    except DockerException as error:
        raise ContainerExitedError(f"the database's container went away: {error}") from None
    if code not in ENDS:
        raise ContainerExitedError(f"the database's container went away: {said.strip()[-300:] or code}")
    return parse_answer(said if said.strip() else _kept_answer(one, verb))


def _kept_answer(one: Container, verb: str) -> str:
    """Of a program that ended as it should, and whose words the engine lost."""
    try:
        return docker_engine.read_file(one, f"{KEPT}-{verb}").decode()
    except DockerException as error:
        raise ContainerExitedError(f"the engine lost the database's answer ({error}): try again") from None


def call_or_run(client: docker.DockerClient, source: Repository, verb: str) -> Any:
    """As ``ask``, of a running database, or apart: also of one that ends and is started again without end."""
    running = database(client, source.workspace)
    if running:
        try:
            return call(running, verb)
        except ContainerExitedError:
            pass
    return call_in_new_container(client, source, verb)


def parse_answer(said: str) -> Any:
    """What the program printed last; raises ``OpsError`` with its reason."""
    lines = said.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise OpsError(f"the backup program said: {said.strip()[-300:] or 'nothing'}") from None
    if isinstance(answer, dict) and "failed" in answer:
        raise OpsError(str(answer["failed"]))
    return answer


def encryption_key(name: str, home: Home) -> str:
    """What encrypts a workspace's backups; raises ``OpsError`` when this machine does not have it."""
    try:
        return home.backup_key(name).read_text().strip()
    except FileNotFoundError:
        raise OpsError(
            f"{name}: its backups are encrypted and this machine has no key for them"
            f" ({home.backup_key(name)}):"
            " import the recovery kit of the machine that made them (`labelspace keys import KIT`)"
        ) from None


def repository_for(spec: WorkspaceSpec, home: Home) -> Repository:
    """A workspace's own repository; raises ``OpsError`` when this machine has no key for it."""
    name, given = spec.name, spec.backup.encryption_key
    key = given.get_secret_value() if given else encryption_key(name, home)
    return Repository(name, str(home.backups / name), spec.backup, key, database=spec.external_database)


def workspace_repository(name: str, home: Home) -> Repository:
    """The repository of a workspace that exists, as its settings say."""
    from labelspace_ops.stack import automation as stack  # noqa: PLC0415 - brings Pulumi with it

    return repository_for(parse_spec(stack.read_settings(stack.select(name, home))), home)


def call_in_new_container(
    client: docker.DockerClient,
    source: Repository,
    verb: str,
    *,
    volumes_of: str = "",
    binds: Binds | None = None,
    **given: Any,
) -> Any:
    """As ``ask``, in a container of its own; with ``volumes_of`` it can write that workspace's volumes.

    One that writes has a fixed name and the workspace's lock; those that look may be many at once.
    """
    part = "restore" if volumes_of else f"look-{secrets.token_hex(4)}"
    one = create_container(client, source, verb, given, part=part, volumes_of=volumes_of, binds=binds)
    try:
        one.start()
        one.wait(timeout=24 * 3600)
        return parse_answer(one.logs(stdout=True, stderr=False).decode(errors="replace"))
    finally:
        docker_engine.remove(one)


def create_container(
    client: docker.DockerClient,
    source: Repository,
    verb: str,
    given: dict[str, Any],
    *,
    part: str,
    volumes_of: str = "",
    network: str = "none",
    binds: Binds | None = None,
) -> Container:
    """A container for ``verb``, not started yet; it reaches ``network``, and its bucket if it has one."""
    _must_be_there(source)
    name = f"labelspace-{volumes_of or source.workspace}-{part}"
    _remove(client, name)
    one = client.containers.create(
        _image(client),
        entrypoint=PROGRAM,
        command=[verb, json.dumps(given)],
        name=name,
        labels={WORKSPACE_LABEL: volumes_of or source.workspace, PART_LABEL: part},
        volumes={**_mounts(client, source, volumes_of), **(binds or {})},
        network_mode=source.network if source.is_remote else network,
        cap_drop=["ALL"],
        cap_add=["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"],
        security_opt=["no-new-privileges:true"],
        init=True,
    )
    if source.is_remote and network != "none":
        client.networks.get(network).connect(one)
    one.put_archive("/", docker_engine.tar_files(source.files))
    return one


def _must_be_there(source: Repository) -> None:
    """A folder that is missing would be made by the engine, and pass for a place without backups."""
    if not source.backup.bucket and not Path(source.folder).exists():
        raise OpsError(f"{source.workspace}: there are no backups: {source.folder} does not exist")


def _remove(client: docker.DockerClient, name: str) -> None:
    """What a command that was killed left."""
    try:
        docker_engine.remove(client.containers.get(name))
    except NotFound:
        return


def _mounts(client: docker.DockerClient, source: Repository, volumes_of: str) -> Binds:
    """Another workspace's backups are for reading alone."""
    others = volumes_of and volumes_of != source.workspace
    mounts = {}
    if not source.backup.bucket or not Path(source.folder).is_absolute() or Path(source.folder).exists():
        mounts[source.folder] = {"bind": described.REPOSITORY, "mode": "ro" if others else "rw"}
    if source.authorities:
        mounts[source.authorities] = {"bind": described.AUTHORITIES, "mode": "ro"}
    if volumes_of:
        for part, path in VOLUMES.items():
            if source.database and part == "database":
                continue
            volume = f"labelspace-{volumes_of}-{part}"
            client.volumes.create(volume, labels={WORKSPACE_LABEL: volumes_of, PART_LABEL: part})
            mounts[volume] = {"bind": path, "mode": "rw"}
    return mounts


def _image(client: docker.DockerClient) -> str:
    """Built as the stack would, where the stack has not yet."""
    name = described.image_name()
    try:
        client.images.get(name)
    except NotFound:
        images.ensure(client, [IMAGES["postgres"]])
        _build(client, name)
    return name


def _build(client: docker.DockerClient, name: str) -> None:
    try:
        client.images.build(path=str(described.CONTEXT), tag=name, rm=True)
    except DockerException as error:
        reason = " ".join(str(error).split())[:200]
        raise OpsError(
            f"image {name}: it cannot be built here ({reason}): check that containers of this engine reach"
            " Debian's packages, then run this again"
        ) from None
