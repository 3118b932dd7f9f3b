"""The arguments of stacks in other languages: those of a spec, each documented, in a schema of Pulumi's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from labelspace import provider as provider_module


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
    assert len(blocks) == 12


def test_arguments_that_take_no_output_are_plain(schema: Any) -> None:
    blocks = {name: one["inputProperties"] for name, one in schema["resources"].items()}
    blocks |= {name: one["properties"] for name, one in schema["types"].items()}
    plain = {
        f"{block.rpartition(':')[2]}.{name}": one.get("plain", False)
        for block, all_ in blocks.items()
        for name, one in all_.items()
    }
    assert not plain["AdminArgs.password"]
    assert not plain["ExternalDatabaseArgs.host"]
    assert plain["Workspace.size"]
    assert plain["BucketArgs.name"]
    assert schema["resources"]["labelspace:index:Workspace"]["requiredInputs"] == ["buckets"]
