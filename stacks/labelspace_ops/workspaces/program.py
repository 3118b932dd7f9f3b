"""The Pulumi program of a workspace's stack, for plain ``pulumi up``."""

from __future__ import annotations

import sys

import pulumi

from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.reporting import Event, PullProgress, subscribe, to_line
from labelspace_ops.targets import registry


def main() -> None:
    """Declare the selected stack's workspace on its target; print progress on standard error.

    Raises ``pulumi.RunError`` for an unknown target.
    """
    subscribe(_print)
    try:
        target = registry.get(pulumi.Config("labelspace").get("target") or registry.DEFAULT)
    except UsageError as error:
        raise pulumi.RunError(f"settings of stack {pulumi.get_stack()}:\n{error}") from None
    target.program()()


def _print(event: Event) -> None:
    if not isinstance(event, PullProgress):  # Pulumi keeps every line
        sys.stderr.write(f"{to_line(event)}\n")
