"""The annotation database on the Instance: PostgreSQL with pgBackRest, archived to the backup bucket."""

from __future__ import annotations

from dataclasses import replace

import pulumi

from labelspace.container_spec import Service
from labelspace.cvat.names import DATABASE_ALIAS, DATABASE_NAME, DATABASE_USER
from labelspace.given import Given, by_key
from labelspace.outputs import DatabaseAccess
from labelspace.postgres import pgbackrest as backups
from labelspace.postgres.container import ARCHIVED_MARK, service
from labelspace.spec import BackupBucketSpec, ScalewaySpec, SpecError
from labelspace.targets.scaleway.context import ScalewayContext
from labelspace.targets.scaleway.iam import Identity

BACKUPS_VOLUME = "backups"
"""The volume that stands for the folder of backups, which are in the bucket: results of drills lie in it."""
FILES = (backups.PGBACKREST_FILE, backups.SETTINGS_FILE)
"""What ``backup.files`` makes for a bucket whose authority every machine knows."""


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations on the data volume; restorable to any minute from the bucket, by ``service``."""

    access: DatabaseAccess
    service: Service

    def __init__(
        self,
        name: str,
        *,
        given: Given[ScalewaySpec],
        place: ScalewayContext,
        identity: Identity,
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:scaleway:DatabaseOnServer", name, None, opts)
        spec = given.known
        self.service = _service(given, place, identity, password)
        where = f"s3://{place.backup_bucket}/labelspace/{spec.name}"
        self.access = DatabaseAccess(
            host=DATABASE_ALIAS,
            port=5432,
            database=DATABASE_NAME,
            user=DATABASE_USER,
            password=pulumi.Output.secret(password),
            ca_certificate=None,
            backups=replace(
                backups.policy(where, spec.backup), old_versions_days=spec.scaleway.old_versions_days
            ),
            ready=pulumi.Output.from_input(""),
            archived_mark=ARCHIVED_MARK,
        )
        self.register_outputs({"host": DATABASE_ALIAS})


def encryption_key(spec: ScalewaySpec) -> str:
    """What encrypts the backups; raises ``SpecError`` where a database on the server has none."""
    if spec.backup.encryption_key is None:
        raise SpecError(
            [
                "backup.encryption_key: missing: scaleway.database: server encrypts its backups with it:"
                f" `labelspace create {spec.name}` makes one, or `pulumi config set --secret --path"
                " labelspace:backup.encryption_key KEY` (32 characters or more)"
            ]
        )
    return spec.backup.encryption_key.get_secret_value()


def backup_bucket(
    name: str, region: str, endpoint: str, access_key: str, secret_key: str
) -> BackupBucketSpec:
    """The backup bucket as pgBackRest and restic reach it."""
    keys = {"access_key": access_key, "secret_key": secret_key}
    return BackupBucketSpec.model_validate({"name": name, "region": region, "endpoint": endpoint, **keys})


def _service(
    given: Given[ScalewaySpec], place: ScalewayContext, identity: Identity, password: pulumi.Input[str]
) -> Service:
    spec, read = given.known, given.map(lambda known: known)
    values = pulumi.Output.all(read, identity.key.access_key, identity.key.secret_key)
    settings = by_key(values.apply(lambda found: _settings(found[0], place, *found[1:])), FILES)
    described = service(password, settings, spec.backup, size=spec.size)
    return replace(
        described,
        volumes={**described.volumes, BACKUPS_VOLUME: backups.REPOSITORY},
        host_files={backups.AUTHORITIES: backups.AUTHORITIES},
    )


def _settings(spec: ScalewaySpec, place: ScalewayContext, access_key: str, secret_key: str) -> dict[str, str]:
    where = backup_bucket(place.backup_bucket, place.region, place.endpoint, access_key, secret_key)
    return backups.secret_files(
        spec.name, spec.backup.model_copy(update={"bucket": where}), encryption_key(spec)
    )
