"""Options of the filter that CVAT's own requests go through (smokescreen)."""

from __future__ import annotations

from labelspace.spec.egress import network, split_port

REFUSAL = "Private addresses are refused: name this one in the setting egress.allow of the workspace"
"""What the filter adds to its answer; a webhook's deliveries show it. No quotes: supervisord splits it."""


def options(allow: tuple[str, ...]) -> str:
    """``SMOKESCREEN_OPTS``: what is allowed by its address, and the sentence that goes with a refusal."""
    fixed = [_option(entry) for entry in allow if network(split_port(entry)[0]) is not None]
    return " ".join([*fixed, f"'--additional-error-message-on-deny={REFUSAL}'"])


def _option(entry: str) -> str:
    return f"--allow-range={entry}" if "/" in entry else f"--allow-address={entry}"


def names(allow: tuple[str, ...]) -> str:
    """The host names among what is allowed, each with its port, separated by spaces."""
    return " ".join(entry for entry in allow if network(split_port(entry)[0]) is None)
