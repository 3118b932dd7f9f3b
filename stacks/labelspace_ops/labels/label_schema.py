"""The public component ``LabelSchema``: the labels of a project of CVAT, for any Pulumi program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

import pulumi
from pydantic import BaseModel, ValidationError

from labelspace.given import camel_case
from labelspace.spec import Settings, SpecError
from labelspace.workspace import Workspace
from labelspace_ops.labels import labels_file, normalized
from labelspace_ops.labels.args import LabelSchemaArgs
from labelspace_ops.labels.cvat_project import CvatProject
from labelspace_ops.labels.model import Project

Model = TypeVar("Model", bound=BaseModel)


class LabelSchema(pulumi.ComponentResource):
    """A project of CVAT with its labels, in a workspace of the same program.

    An existing project of that name is used. A label that has annotations is deleted only when
    ``allow_delete`` names it; the preview refuses it otherwise. The project stays in CVAT when the resource
    is deleted. Raises ``SpecError`` with a sentence for each refused value.
    """

    project: pulumi.Output[str]
    """The project's name."""
    number: pulumi.Output[int]
    """The project's id in CVAT; 0 until the workspace runs for the first time."""

    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **args: Unpack[LabelSchemaArgs],
    ) -> None:
        """Declare the project: each key of ``LabelSchemaArgs`` is a keyword."""
        values, workspace = separate(args)
        target = validated(Project, {"name": resource_name, **values})
        inputs = {camel_case(key): value for key, value in values.items()}
        super().__init__("labelspace:index:LabelSchema", resource_name, inputs, opts)
        made = CvatProject(
            resource_name,
            project=target.name,
            labels=normalized.desired(target),
            renamed=normalized.renamed(target),
            allow_delete=target.allow_delete,
            url=workspace.api_url,
            username=workspace.admin_username,
            password=workspace.admin_password,
            running=workspace.running,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[workspace]),
        )
        self.project, self.number = pulumi.Output.from_input(target.name), made.number
        self.register_outputs({"project": self.project, "number": self.number})


def separate(args: Mapping[str, Any]) -> tuple[Settings, Workspace]:
    """The values, and the workspace among the arguments; raises ``SpecError`` without one."""
    workspace = args.get("workspace")
    if not isinstance(workspace, Workspace):
        raise SpecError(["workspace: missing: give the Workspace of this program"])
    return {key: value for key, value in args.items() if key != "workspace" and value is not None}, workspace


def validated(model: type[Model], values: Settings) -> Model:
    """The values as a model of the labels file; raises ``SpecError`` with a sentence for each problem."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SpecError(labels_file.problems(error, values, known="an argument")) from None
