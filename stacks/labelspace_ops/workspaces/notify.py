"""Notices of faults: a test message from inside the workspace."""

from __future__ import annotations

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError
from labelspace_ops.core.models import JsonModel
from labelspace_ops.stack import automation
from labelspace_ops.targets import registry


class NotifyTest(JsonModel):
    """A test message that the webhook and the SMTP server took."""

    name: str
    """The workspace."""
    sent: bool
    """Always true: a message that was not taken is an error."""


def send_test(name: str, home: Home) -> NotifyTest:
    """Send a test message; raises ``UsageError`` without a receiver, ``OpsError`` when none takes it."""
    target = registry.for_workspace(name, home)
    if not automation.read_settings(automation.select(name, home)).get("notify"):
        raise UsageError(
            f"notify: {name} has no receiver: `labelspace set {name} notify.webhook=-` reads a webhook's URL"
            f" from standard input, `labelspace set {name} notify.email=ADDRESS` names who gets mails"
        )
    target.send_test_notice(name)
    return NotifyTest(name=name, sent=True)
