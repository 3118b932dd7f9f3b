"""The arguments of stacks in other languages: those of a spec, each documented, in a schema of Pulumi's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from labelspace import provider as provider_module
from labelspace import spec

SECRET = {"password", "access_key", "secret_key"}
PYTHON_ONLY = {
    "WorkspaceArgs": {"deleted", "email", "external_database"},  # the last two hold a password
    "BucketArgs": {"endpoint", "region"},  # those of a remote bucket, with its keys
    "BackupArgs": {"bucket"},
    "ScalewayArgs": {"zone"},  # has one value
}
"""What other languages cannot say yet (docs/own-stack.md)."""
RENAMED = {"name_on_engine": "name", "admin_password": "admin"}


@pytest.mark.parametrize(
    "pair",
    [
        (provider_module.WorkspaceArgs, *spec.SPECS.values()),
        (provider_module.BucketArgs, spec.BucketSpec),
        (provider_module.AdminArgs, spec.AdminSpec),
        (provider_module.BackupArgs, spec.BackupSpec),
        (provider_module.TlsArgs, spec.TlsSpec),
        (provider_module.ScalewayArgs, spec.ScalewaySettings),
        (provider_module.DatasetBucketArgs, spec.DatasetBucketSpec),
        (provider_module.AnnotationDatabaseArgs, spec.AnnotationDatabaseSpec),
    ],
)
def test_arguments_follow_the_spec(pair: tuple[Any, ...]) -> None:
    args, *specs = pair
    known = {RENAMED.get(name, name) for name in args.__annotations__}
    fields = {name for one in specs for name in one.model_fields}
    assert known == fields - SECRET - PYTHON_ONLY.get(args.__name__, set())


@pytest.fixture(scope="module")
def schema() -> Any:
    provider: Any = ComponentProvider(provider_module.COMPONENTS, "labelspace", version="0.1.0")
    return json.loads(provider.schema)


def test_every_argument_is_documented(schema: Any) -> None:
    blocks = {name: one["inputProperties"] for name, one in schema["resources"].items()}
    blocks |= {name: one["properties"] for name, one in schema["types"].items()}
    silent = [
        f"{block}.{name}"
        for block, all_ in blocks.items()
        for name, one in all_.items()
        if not one.get("description")
    ]
    assert silent == []
    assert len(blocks) == 9


def test_everything_but_the_admins_password_is_plain(schema: Any) -> None:
    late = [
        name
        for one in schema["resources"].values()
        for name, argument in one["inputProperties"].items()
        if not argument.get("plain")
    ]
    assert late == ["adminPassword"]
    assert schema["resources"]["labelspace:index:Workspace"]["requiredInputs"] == ["buckets"]
