"""A test message to the receivers of a workspace, from the notifier's container, which sends the others."""

from __future__ import annotations

from labelspace.notify.service import PART, PROGRAM
from labelspace_ops.core.errors import OpsError
from labelspace_ops.runtime.base import Runtime


def send_test(runtime: Runtime) -> None:
    """Send it; raises ``OpsError`` when the notifier does not run, or a message is not taken."""
    name, state = runtime.workspace, runtime.services().get(PART)
    if state is None or not state.running:
        raise OpsError(f"{name}: its notifier does not run: `labelspace start {name}` starts it")
    result = runtime.exec(PART, ["python3", "-E", PROGRAM, "test"])
    if result.exit_code:
        raise OpsError(f"{name}: the message was not taken: {result.output.strip()[-300:]}")
