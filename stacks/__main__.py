"""The program: reads the selected stack's wish and labels, declares its Workspace, exports its outputs."""

from __future__ import annotations

import pulumi

from labelspace.spec import SpecError, WorkspaceSpec, parse_spec, setting
from labelspace_ops.errors import UsageError
from labelspace_ops.labels import file as labels_file
from labelspace_ops.program import declare


def wish() -> WorkspaceSpec:
    """The stack's settings under ``labelspace:``; the stack's name is the workspace's."""
    config = pulumi.Config("labelspace")
    values: dict[str, object] = {"name": pulumi.get_stack()}
    for key in WorkspaceSpec.model_fields.keys() - {"name"}:
        text = config.get(key)
        if text is not None:
            values[key] = setting(key, text)
    return parse_spec(values)


def main() -> None:
    """Declare the workspace; a wish that cannot be granted ends here, with each reason in one line."""
    try:
        spec = wish()
        labels = labels_file.of(spec.name)
    except (SpecError, UsageError) as error:
        raise pulumi.RunError(f"settings of stack {pulumi.get_stack()}:\n{error}") from None
    declare(spec, labels)


main()
