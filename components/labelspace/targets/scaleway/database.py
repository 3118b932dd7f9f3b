"""The annotation database: managed PostgreSQL 15, on the private network alone, backed up by Scaleway."""

from __future__ import annotations

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.cvat.names import DATABASE_NAME, DATABASE_USER
from labelspace.outputs import BackupPolicy, DatabaseAccess
from labelspace.secrets import random_password
from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.context import ScalewayContext
from labelspace.targets.scaleway.prices import database_type

ENGINE = "PostgreSQL-15"
KEEPER = "labelspace"
"""The instance's first user, which owns nothing of CVAT's."""
SNAPSHOT_HOURS = 24
DUMP_SECONDS = 3600


class AnnotationDatabase(pulumi.ComponentResource):
    """Holds the annotations; its automated snapshots outlive it until they expire, dumps go to a bucket."""

    access: DatabaseAccess

    def __init__(
        self,
        name: str,
        *,
        spec: ScalewaySpec,
        context: ScalewayContext,
        network: pulumi.Input[str],
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("labelspace:scaleway:AnnotationDatabase", name, None, opts)
        self._name, self._context = name, context
        self.instance = self._instance(spec, network)
        strong = complex_enough(password)
        privilege = self._contents(strong)
        endpoint = self.instance.private_network
        self.access = DatabaseAccess(
            host=endpoint.apply(lambda one: (one.ip if one else None) or ""),
            port=5432,
            database=DATABASE_NAME,
            user=DATABASE_USER,
            password=strong,
            ca_certificate=self.instance.certificate,
            backups=_backup_policy(spec, context),
            ready=pulumi.Output.all(self.instance.id, privilege.id).apply(lambda ids: str(ids[0])),
        )
        self.register_outputs({"host": self.access.host})

    def _instance(self, spec: ScalewaySpec, network: pulumi.Input[str]) -> scaleway.databases.Instance:
        keeper = complex_enough(random_password(self, self._name, "database-keeper"))
        private = scaleway.databases.InstancePrivateNetworkArgs(pn_id=network, enable_ipam=True)
        return scaleway.databases.Instance(
            f"{self._name}-database",
            name=self._context.named(),
            node_type=database_type(spec),
            engine=ENGINE,
            user_name=KEEPER,
            password=keeper,
            volume_type="sbs_5k",
            volume_size_in_gb=spec.scaleway.database_gb,
            encryption_at_rest=True,
            is_ha_cluster=False,
            disable_backup=False,
            backup_schedule_frequency=SNAPSHOT_HOURS,
            backup_schedule_retention=spec.backup.retention_days,
            backup_same_region=True,
            private_network=private,
            project_id=self._context.project,
            region=self._context.region,
            tags=self._context.tags,
            # another engine would be another instance, and writes in between would be lost
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["engine"]),
        )

    def _contents(self, password: pulumi.Output[str]) -> scaleway.databases.Privilege:
        """Removed with the instance: one by one they would refuse, as they depend on each other."""
        opts = pulumi.ResourceOptions(parent=self, deleted_with=self.instance)
        instance, region = self.instance.id, self._context.region
        database = scaleway.databases.Database(
            f"{self._name}-cvat", name=DATABASE_NAME, opts=opts, instance_id=instance, region=region
        )
        user = scaleway.databases.User(
            f"{self._name}-cvat",
            name=DATABASE_USER,
            password=password,
            is_admin=False,
            opts=opts,
            instance_id=instance,
            region=region,
        )
        granted = pulumi.ResourceOptions(
            parent=self,
            deleted_with=self.instance,
            ignore_changes=["permission"],
            depends_on=[database, user],
        )
        return scaleway.databases.Privilege(
            f"{self._name}-cvat",
            user_name=DATABASE_USER,
            database_name=DATABASE_NAME,
            permission="all",
            instance_id=instance,
            region=region,
            opts=granted,
        )


def complex_enough(password: pulumi.Input[str]) -> pulumi.Output[str]:
    """Scaleway asks for a letter of each case, a digit and a special character."""
    return pulumi.Output.secret(password).apply(lambda text: f"{text}_Aa1")


def _backup_policy(spec: ScalewaySpec, context: ScalewayContext) -> BackupPolicy:
    days = spec.backup.drill_interval_days
    drill = f"a drill every {days} days" if days else "no drills"
    return BackupPolicy(
        f"Scaleway's snapshots, and dumps in bucket {context.backup_bucket}",
        f"a snapshot every {SNAPSHOT_HOURS} h, a dump every hour, {drill}",
        spec.backup.retention_days,
        spec.scaleway.old_versions_days,
    )
