"""The arguments of stacks in other languages: those of a spec, each documented, in a schema of Pulumi's."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest
from pulumi.provider.server import ProviderServicer
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import provider_pb2
from tests.unit.components.test_options import Machine

from labelspace import SpecError, spec
from labelspace import provider as provider_module
from labelspace.provider import LabelspaceProvider, References


class Urn(str):
    """A URN that is known at once."""

    def apply(self, use: Callable[[str], Any]) -> None:
        use(self)


class Made:
    """A component that was made."""

    def __init__(self, urn: str) -> None:
        self.urn = Urn(urn)


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(LabelspaceProvider().schema or "")


def test_every_argument_and_output_is_documented(schema: Any) -> None:
    blocks = {name: one["inputProperties"] for name, one in schema["resources"].items()}
    blocks |= {name: one.get("properties", {}) for name, one in schema["types"].items()}
    blocks |= {f"outputs of {name}": one["properties"] for name, one in schema["resources"].items()}
    silent = [
        f"{block}.{name}"
        for block, all_ in blocks.items()
        for name, one in all_.items()
        if not one.get("description")
    ]
    assert silent == []
    assert len(blocks) == 28


def test_arguments_that_take_no_output_are_plain(schema: Any) -> None:
    blocks = {name: one["inputProperties"] for name, one in schema["resources"].items()}
    blocks |= {name: one.get("properties", {}) for name, one in schema["types"].items()}
    plain = {
        f"{block.rpartition(':')[2]}.{name}": one.get("plain", False)
        for block, all_ in blocks.items()
        for name, one in all_.items()
    }
    assert not plain["Admin.password"]
    assert not plain["ExternalDatabase.host"]
    assert plain["Workspace.size"]
    assert plain["Bucket.name"]
    assert schema["resources"]["labelspace:index:Workspace"]["requiredInputs"] == ["buckets"]


def test_choices_are_enums(schema: Any) -> None:
    enums = {name.rpartition(":")[2]: one for name, one in schema["types"].items() if one.get("enum")}
    for name, one in enums.items():
        assert one["type"] == "string", name
        assert one["description"], name
        assert tuple(choice["value"] for choice in one["enum"]) == get_args(getattr(spec, name)), name
    used = set(re.findall(r"#/types/labelspace:index:(\w+)", json.dumps(schema)))
    assert len(enums) == 10
    assert used >= enums.keys()
    assert [one["name"] for one in enums["DatabaseSslMode"]["enum"]] == ["VerifyFull", "VerifyCa", "Disable"]


def test_an_argument_of_an_enum_is_plain(schema: Any) -> None:
    blocks = [one["inputProperties"] for one in schema["resources"].values()]
    blocks += [one.get("properties", {}) for one in schema["types"].values()]
    enums = {f"#/types/{name}" for name, one in schema["types"].items() if one.get("enum")}
    chosen = [one for block in blocks for one in block.values() if one.get("$ref") in enums]
    assert len(chosen) == 11
    assert all(one["plain"] and one["description"] for one in chosen)


def test_a_value_of_an_enum_stays_a_text_and_the_spec_refuses_a_wrong_one() -> None:
    provider = LabelspaceProvider()
    given = {"buckets": [{"name": "one"}], "size": "huge", "scaleway": {"region": "fr-par"}}
    mapped: Any = provider.map_inputs(given, provider._component_defs["Workspace"])
    assert mapped == given
    with pytest.raises(SpecError, match="size: 'huge' is refused: choose one of"):
        provider_module.Workspace("w", mapped)


def test_a_component_is_an_argument(schema: Any) -> None:
    arguments = schema["resources"]["labelspace:index:Workspace"]["inputProperties"]
    offered = [
        [one["$ref"] for one in choices["oneOf"]]
        for choices in (arguments["database"], arguments["buckets"]["items"])
    ]
    assert offered == [
        ["#/types/labelspace:index:ExternalDatabase", "#/resources/labelspace:index:AnnotationDatabase"],
        ["#/types/labelspace:index:Bucket", "#/resources/labelspace:index:DatasetBucket"],
    ]


def test_a_reference_becomes_the_component_that_was_made() -> None:
    provider, references, photos = LabelspaceProvider(), References(), Made("urn:photos")
    references.remember(photos)  # type: ignore[arg-type]  # it has the one attribute that is used
    reference = references.construct("photos", "labelspace:index:DatasetBucket", "urn:photos")
    given = {"database": reference, "buckets": [reference, {"name": "more"}], "s3Port": 9000.0}
    mapped = provider.map_inputs(given, provider._component_defs["Workspace"])
    assert mapped == {"database": photos, "buckets": [photos, {"name": "more"}], "s3_port": 9000.0}


def test_a_component_of_another_provider_is_refused() -> None:
    with pytest.raises(ValueError, match="photos: another provider made it: use one provider"):
        References().construct("photos", "labelspace:index:DatasetBucket", "urn:photos")


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_a_docker_provider_on_another_machine_is_refused(
    preview: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pulumi's server of providers reads the settings of a caller's provider from the engine."""
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    monitor = MockMonitor(Machine())
    urn = "urn:pulumi:test::other-team::pulumi:providers:docker::theirs"
    state = {"host": "ssh://root@192.0.2.7"}
    monitor.resources[urn] = MockMonitor.ResourceRegistration(urn, "theirs-id", state)
    pulumi.runtime.set_mocks(Machine(), project="other-team", stack="test", preview=preview, monitor=monitor)
    request = provider_pb2.ConstructRequest(providers={"docker": f"{urn}::theirs-id"})

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def constructed() -> None:
        options = ProviderServicer._construct_options(request)
        inputs: Any = {"buckets": [{"name": "one"}]}
        LabelspaceProvider().construct("w", "labelspace:index:Workspace", inputs, options)

    with pytest.raises(pulumi.RunError, match=r"its Docker provider's host is ssh://root@192\.0\.2\.7"):
        constructed()
    gc.collect()  # what a failed update left complains when it goes: better here than within another test
