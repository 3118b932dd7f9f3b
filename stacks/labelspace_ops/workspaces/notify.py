"""Notices of faults: a test message from inside the workspace."""

from __future__ import annotations

from labelspace.home import Home
from labelspace.notify.service import PART, PROGRAM
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.runtime.docker_engine import DockerRuntime
from labelspace_ops.stack import automation


class NotifyTest(JsonModel):
    """A test message that the webhook took."""

    name: str
    """The workspace."""
    sent: bool
    """Always true: a message that was not taken is an error."""


def send_test(name: str, home: Home) -> NotifyTest:
    """Send a test message from the notifier's container, which sends the others.

    Raises ``UsageError`` for a workspace without a webhook, ``OpsError`` when the webhook takes nothing.
    """
    settings = automation.read_settings(automation.select(name, home))
    if not settings.get("notify"):
        raise UsageError(
            f"notify: {name} has no webhook: `labelspace set {name} notify.webhook=-` reads its URL from"
            " standard input"
        )
    runtime = DockerRuntime.here(name)
    state = runtime.services().get(PART)
    if state is None or not state.running:
        raise OpsError(f"{name}: its notifier does not run: `labelspace start {name}` starts it")
    result = runtime.exec(PART, ["python3", "-E", PROGRAM, "test"])
    if result.exit_code:
        raise OpsError(f"{name}: the webhook took no message: {result.output.strip()[-300:]}")
    return NotifyTest(name=name, sent=True)
