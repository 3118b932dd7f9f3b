"""The components for stacks in other languages: each takes one typed block of arguments.

``pulumi.provider.experimental`` derives the schema from ``labelspace.args`` and from docstrings.
"""
# Annotations are real here, not text: the schema is read from them.

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
from pulumi.provider import main
from pulumi.provider.experimental.analyzer import (
    Analyzer,
    ComponentDefinition,
    PropertyDefinition,
    TypeDefinition,
)
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.runtime.rpc import ResourceModule, register_resource_module
from semver import VersionInfo

from labelspace import components, workspace
from labelspace.args import AnnotationDatabaseArgs, DatasetBucketArgs, WorkspaceArgs


class Workspace(workspace.Workspace):
    """A CVAT server with its admin, its dataset buckets and its backed-up annotation database."""

    def __init__(self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts, **args)


class DatasetBucket(components.DatasetBucket):
    """A dataset bucket by itself: a folder of this machine, versioned, served over S3 by its own gateway."""

    def __init__(
        self, name: str, args: DatasetBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts, **args)
        REFERENCES.remember(self)


class AnnotationDatabase(components.AnnotationDatabase):
    """An annotation database by itself: PostgreSQL 15, backed up by pgBackRest from the first minute."""

    def __init__(
        self, name: str, args: AnnotationDatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts, **args)
        REFERENCES.remember(self)


NAME = "labelspace"
VERSION = "0.1.0"
"""The version of the package. A constant, because a plugin's folder is no installed distribution."""
COMPONENTS: list[type[pulumi.ComponentResource]] = [Workspace, DatasetBucket, AnnotationDatabase]
"""What the package offers; ``AnnotationServer`` is a ``Workspace`` with fewer arguments."""
TAKES = {"buckets": "DatasetBucket", "database": "AnnotationDatabase"}
"""The arguments of ``Workspace`` that also take a component, and which."""
_COMPONENT = "component"


class References(ResourceModule):
    """The components of this process by URN: another language passes a component as its URN.

    One process constructs all components of an update, so that the component itself is here.
    """

    def __init__(self) -> None:
        self._made: dict[str, pulumi.ComponentResource] = {}

    def remember(self, component: pulumi.ComponentResource) -> None:
        """Keep the component for arguments that name its URN."""
        component.urn.apply(lambda urn: self._made.update({urn: component}))

    def version(self) -> VersionInfo:
        """The version of the package (``ResourceModule``)."""
        return VersionInfo.parse(VERSION)

    def construct(self, name: str, typ: str, urn: str) -> Any:
        """The component with that URN, and an output, which keeps Pulumi from wrapping a list into one."""
        if urn not in self._made:
            raise ValueError(f"{typ} {name}: another provider made it: use one provider for both components")
        return {_COMPONENT: self._made[urn], "urn": self._made[urn].urn}


REFERENCES = References()


class _AsGiven:
    """In place of an enum, whose call converts a value: the value itself."""

    def __new__(cls, value: Any) -> Any:
        return value


class LabelspaceProvider(ComponentProvider):
    """``ComponentProvider``, and components as arguments of components."""

    def __init__(self) -> None:
        super().__init__(COMPONENTS, NAME, version=VERSION)
        schema = json.loads(_without_suffix(self.schema or ""))
        _add_components(schema)
        _describe_outputs(schema, self._component_defs)
        self.schema = json.dumps(schema)

    def get_type_definition(self, prop: PropertyDefinition) -> TypeDefinition | None:
        """The type of an argument. The value of an enum stays a text: the spec refuses a wrong one."""
        found = super().get_type_definition(prop)
        return replace(found, python_type=_AsGiven) if found and found.enum else found

    def map_input_properties(self, inputs: Any, *args: Any) -> Any:
        """The arguments by their names in Python; a component is passed as it is."""
        if isinstance(inputs, Mapping) and _COMPONENT in inputs:
            return inputs[_COMPONENT]
        return super().map_input_properties(inputs, *args)


def _without_suffix(schema: str) -> str:
    """The schema with ``Bucket`` for the type ``BucketArgs``: SDKs add the suffix of their language."""
    return re.sub(rf"({NAME}:index:\w+?)Args\b", r"\1", schema)


def _add_components(schema: dict[str, Any]) -> None:
    """Give each argument of ``TAKES`` a choice of two types."""
    arguments = schema["resources"][f"{NAME}:index:Workspace"]["inputProperties"]
    for name, component in TAKES.items():
        holder = arguments[name].get("items", arguments[name])
        resource = {"$ref": f"#/resources/{NAME}:index:{component}"}
        holder["oneOf"] = [{"$ref": holder.pop("$ref"), "plain": True}, resource]


def _describe_outputs(schema: dict[str, Any], definitions: Mapping[str, ComponentDefinition]) -> None:
    """Describe each output as its component's base class does, where the analyzer does not look."""
    for component in COMPONENTS:
        base, documents = component.__mro__[1], Analyzer(NAME)
        outputs = schema["resources"][f"{NAME}:index:{component.__name__}"]["properties"]
        for name, python_name in definitions[component.__name__].outputs_mapping.items():
            outputs[name]["description"] = documents.get_docstring(base, python_name)


def serve(arguments: list[str]) -> None:
    """Serve Pulumi's engine until it ends."""
    register_resource_module(NAME, "index", REFERENCES)
    main(LabelspaceProvider(), arguments)
