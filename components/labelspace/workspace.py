"""The workspace: a validated wish turned into the parts of its target."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from labelspace.cvat.services import Secrets
from labelspace.home import Home
from labelspace.local.bucket import DatasetBucket
from labelspace.local.database import AnnotationDatabase
from labelspace.local.gateway import ACCESS_KEY, S3Gateway
from labelspace.local.place import WORKSPACE_LABEL, Place
from labelspace.local.server import AnnotationServer
from labelspace.spec import WorkspaceSpec


class Workspace(pulumi.ComponentResource):
    """A CVAT server with its admin, its dataset buckets and its annotation database, on this machine."""

    def __init__(self, name: str, spec: WorkspaceSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("labelspace:index:Workspace", name, None, opts)
        self.spec = spec
        place = self._place()
        self.gateway_key = self._generated("gateway")
        self.admin_password = self._admin_password()
        buckets = self._buckets(place)
        self._gateway(place, buckets)
        database_password = self._generated("database")
        self.database = AnnotationDatabase(
            name,
            place=place,
            password=database_password,
            backup=spec.backup,
            size=spec.size,
            opts=self._child(),
        )
        self.server = AnnotationServer(
            name,
            spec=spec,
            place=place,
            database=self.database.access,
            buckets=[bucket.access for bucket in buckets],
            secrets=self._secrets(database_password),
            opts=self._child(*buckets),
        )
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What a stack exports; secrets are secret."""
        spec, backups = self.spec, self.database.access.backups
        endpoint = self._endpoint()
        return {
            "url": self.server.ready.apply(lambda _: self.server.url),
            "api_url": f"http://{_reachable(spec.listen)}:{spec.port}",
            "admin_username": spec.admin.username,
            "admin_email": spec.admin.email,
            "admin_password": self.admin_password,
            "buckets": [{"name": bucket.name, "endpoint": endpoint} for bucket in spec.buckets],
            "bucket_access_key": ACCESS_KEY,
            "bucket_secret_key": self.gateway_key,
            "backups": {
                "where": backups.where,
                "schedule": f"changes within {backups.archive_timeout_seconds} s",
                "keep": f"{backups.keep_days} days",
            },
            "cvat_version": spec.cvat_version,
            "target": spec.target,
            "description": spec.description,
        }

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))

    def _place(self) -> Place:
        name = f"labelspace-{self.spec.name}"
        label = docker.NetworkLabelArgs(label=WORKSPACE_LABEL, value=self.spec.name)
        network = docker.Network(f"{self.spec.name}-network", name=name, labels=[label], opts=self._child())
        return Place(self.spec.name, network.name, self.spec.listen, Home.find())

    def _generated(self, what: str, length: int = 40) -> pulumi.Output[str]:
        """Letters and digits alone: safe in every file that it goes into."""
        made = random.RandomPassword(
            f"{self.spec.name}-{what}", length=length, special=False, opts=self._child()
        )
        return made.result

    def _admin_password(self) -> pulumi.Output[str]:
        chosen = self.spec.admin.password
        if chosen is not None:
            return pulumi.Output.secret(chosen.get_secret_value())
        return self._generated("admin", length=20)

    def _secrets(self, database: pulumi.Output[str]) -> Secrets:
        return Secrets(
            database=database,
            redis=self._generated("redis"),
            cache=self._generated("cache"),
            django=self._generated("django", length=50),
            admin=self.admin_password,
        )

    def _endpoint(self) -> str:
        return f"http://{_reachable(self.spec.listen)}:{self.spec.s3_port}"

    def _buckets(self, place: Place) -> list[DatasetBucket]:
        return [
            DatasetBucket(
                f"{self.spec.name}-{bucket.name}",
                spec=bucket,
                place=place,
                endpoint=self._endpoint(),
                access_key=ACCESS_KEY,
                secret_key=self.gateway_key,
                opts=self._child(),
            )
            for bucket in self.spec.buckets
        ]

    def _gateway(self, place: Place, buckets: list[DatasetBucket]) -> None:
        S3Gateway(
            self.spec.name,
            place=place,
            port=self.spec.s3_port,
            secret_key=self.gateway_key,
            buckets=[bucket.access for bucket in buckets],
            depends_on=[*buckets],
            opts=self._child(),
        )


def _reachable(listen: str) -> str:
    """An address at which this machine's programs reach what listens there."""
    return "127.0.0.1" if listen in ("0.0.0.0", "::") else listen  # noqa: S104 - compared, not bound
