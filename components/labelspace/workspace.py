"""The workspace component: validated settings, deployed to their target."""
# Annotations are real here, not text: the component provider derives its schema from them.

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack

import pulumi

from labelspace.args import WorkspaceArgs
from labelspace.given import Given
from labelspace.outputs import BeforeUpgrade, BucketAccess, Deployment, SharedDatabase
from labelspace.secrets import workspace_secrets
from labelspace.spec import (
    DEFAULT_TARGET,
    AdminSpec,
    Settings,
    SpecError,
    WorkspaceSpec,
    dump_with_secrets,
    spec_model,
)
from labelspace.targets.base import Declaration
from labelspace.targets.registry import deploy_function


@dataclass(frozen=True)
class _Components:
    """The components that a workspace is composed of."""

    buckets: Mapping[str, BucketAccess] = field(default_factory=dict)
    database: SharedDatabase | None = None
    resources: Sequence[pulumi.Resource] = ()


class Workspace(pulumi.ComponentResource):
    """A CVAT server with its admin, its dataset buckets and its annotation database, on one target.

    Raises ``SpecError`` with a sentence for each refused value that is known. An output that turns out to be
    refused fails the update before anything of the workspace is made.
    """

    url: pulumi.Output[str]
    """Where people work; resolves when the workspace is ready, in a preview at once where it is known."""
    api_url: pulumi.Output[str]
    """The same server for programs (CVAT's REST API)."""
    admin_username: pulumi.Output[str]
    """User name of CVAT's superuser."""
    admin_password: pulumi.Output[str]
    """The superuser's password; secret."""
    buckets: pulumi.Output[list[dict[str, str]]]
    """Each dataset bucket's name, S3 endpoint and region, and ``path`` of a folder of the user's own."""
    bucket_keys: pulumi.Output[dict[str, dict[str, str]]]
    """Access key and secret key of each bucket by its name, empty for a public one; secret."""
    backups: pulumi.Output[dict[str, str]]
    """Where backups are, when they are made and how long they are kept, for people."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[WorkspaceArgs],
    ) -> None:
        """Declare the workspace: each key of ``WorkspaceArgs`` is a keyword."""
        values, components = _separate(args)
        shared = components.database
        given = _parse({"name": shared.workspace if shared else resource_name, **values}, components)
        self._declare(resource_name, given, components, opts)

    def _declare(
        self,
        resource_name: str,
        given: Given[WorkspaceSpec],
        components: _Components,
        opts: pulumi.ResourceOptions | None = None,
        before_upgrade: BeforeUpgrade | None = None,
    ) -> None:
        super().__init__("labelspace:index:Workspace", resource_name, given.inputs(), opts)
        self._given, shared, self.running = given, components.database, given.known.running
        self._secrets = workspace_secrets(
            self,
            resource_name,
            given.part(AdminSpec, "admin"),
            database=shared.access.password if shared else None,
        )
        self.deployment = deploy_function(given.known.target)(
            Declaration(
                parent=self,
                prefix=resource_name,
                given=given,
                secrets=self._secrets,
                before_upgrade=before_upgrade,
                buckets=components.buckets,
                database=shared,
                depends_on=components.resources,
            )
        )
        outputs = self.outputs()
        self._set_attributes(outputs)
        self.register_outputs(outputs)

    def _set_attributes(self, outputs: dict[str, Any]) -> None:
        """The outputs that other resources use, as attributes."""
        output = pulumi.Output.from_input
        self.url, self.api_url = output(outputs["url"]), output(outputs["api_url"])
        self.admin_username = output(outputs["admin_username"])
        self.admin_password = output(outputs["admin_password"])
        self.buckets, self.bucket_keys = output(outputs["buckets"]), outputs["bucket_keys"]
        self.backups = output(outputs["backups"])

    def outputs(self) -> dict[str, pulumi.Input[object]]:
        """What a stack exports, the same names on every target; secrets are secret."""
        spec, deployment = self._given.known, self.deployment
        admin = self._given.part(AdminSpec, "admin")
        return {
            "url": deployment.url,
            "api_url": deployment.api_url,
            "admin_username": admin.value("username"),
            "admin_email": admin.value("email"),
            "admin_password": self._secrets.admin,
            "buckets": [_bucket(bucket) for bucket in deployment.buckets],
            "bucket_keys": _keys(deployment),
            "backups": dict(deployment.backups),
            "cvat_version": spec.cvat_version,
            "target": spec.target,
            "running": spec.running,
            "description": self._given.value("description"),
            "settings": pulumi.Output.secret(self._given.map(_settings)),
            **deployment.more,
        }


def _settings(spec: WorkspaceSpec) -> str:
    """All settings as JSON; secret, for `labelspace`'s commands."""
    return json.dumps(dump_with_secrets(spec), sort_keys=True)


def _bucket(bucket: BucketAccess) -> dict[str, Any]:
    """How programs find a bucket; ``path`` only for a folder of the user's own."""
    path = {"path": bucket.own_path} if bucket.own_path else {}
    return {"name": bucket.name, "endpoint": bucket.endpoint, "region": bucket.region, **path}


def _keys(deployment: Deployment) -> pulumi.Output[dict[str, Any]]:
    """Access key and secret key of each bucket by its name; empty ones for a public bucket."""
    keys: dict[str, Any] = {
        bucket.name: {"access_key": bucket.access_key, "secret_key": bucket.secret_key}
        for bucket in deployment.buckets
    }
    return pulumi.Output.secret(keys)


class StackWorkspace(Workspace):
    """The workspace that a stack's file describes."""

    def __init__(self, spec: WorkspaceSpec, before_upgrade: BeforeUpgrade | None = None) -> None:
        self.spec = spec
        self._declare(spec.name, Given.of(spec), _Components(), before_upgrade=before_upgrade)


def declare(spec: WorkspaceSpec, before_upgrade: BeforeUpgrade | None = None) -> StackWorkspace:
    """The workspace of a stack: declares it and exports its outputs."""
    workspace = StackWorkspace(spec, before_upgrade)
    for name, value in workspace.outputs().items():
        pulumi.export(name, value)
    return workspace


def _separate(args: Mapping[str, Any]) -> tuple[Settings, _Components]:
    """The settings, and the components among the arguments; a component's bucket goes by its name."""
    values = {key: value for key, value in args.items() if value is not None}
    listed = values["buckets"] if isinstance(values.get("buckets"), list | tuple) else ()
    components: list[Any] = [one for one in listed if isinstance(one, pulumi.ComponentResource)]
    buckets: dict[str, BucketAccess] = {one.access.name: one.access for one in components}
    if buckets:
        values["buckets"] = [{"name": one.access.name} if one in components else one for one in listed]
    database: Any = values.pop("database", None)
    if isinstance(database, pulumi.ComponentResource):
        shared: SharedDatabase = database.shared  # type: ignore[attr-defined]
        return values, _Components(buckets, shared, [*components, database])
    values |= {} if database is None else {"external_database": database}
    return values, _Components(buckets, resources=components)


def _parse(values: Settings, components: _Components) -> Given[WorkspaceSpec]:
    """Validate a program's arguments; raises ``SpecError``."""
    model = spec_model(values)
    _check_components(values, components)
    return Given.parse(model, values, words={"external_database": "database"})


def _check_components(values: Settings, components: _Components) -> None:
    """Raise ``SpecError`` for arguments that contradict a component among them."""
    shared, target = components.database, values.get("target", DEFAULT_TARGET)
    problems = []
    if (shared or components.buckets) and target != DEFAULT_TARGET:
        problems.append(
            f"target: {target!r} is refused: a DatasetBucket or AnnotationDatabase component is on this"
            " machine's Docker engine: give the settings of a bucket, such as {'name': 'photos'}"
        )
    if shared and values["name"] != shared.workspace:
        problems.append(
            f"name: {values['name']!r} is refused: the workspace goes by its database's name,"
            f" {shared.workspace!r}: leave name out"
        )
    if shared and "backup" in values:
        problems.append("backup: the database is a component: give backup to the AnnotationDatabase")
    if shared and values.get("sleep_after_minutes"):
        problems.append("sleep_after_minutes: a database that is a component does not sleep: leave it out")
    if problems:
        raise SpecError(problems)
