"""A workspace that sleeps by itself: what it says of that, and how it is woken."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError

ASLEEP = ("asleep", "waking")
PATIENCE_SECONDS = 960


def sleep_status(outputs: dict[str, Any]) -> dict[str, Any]:
    """The sleeper's own word: ``status`` (awake, asleep, waking, failed) and ``since``; empty without one."""
    if not outputs.get("sleep_after_minutes") or outputs.get("running") is False:
        return {}
    import httpx  # noqa: PLC0415 - of all workspaces, those that may sleep are asked

    proxies.exempt_own(outputs["api_url"])
    try:
        answer = httpx.get(f"{outputs['api_url']}/.labelspace/state.json", timeout=10)
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}
    except (httpx.HTTPError, ValueError):
        return {}


def wake(name: str, outputs: dict[str, Any], say: Callable[[str], None]) -> None:
    """Wake the workspace if it sleeps, and wait until it is ready. Raises ``OpsError`` for a stopped one."""
    if outputs.get("running") is False:
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")
    if sleep_status(outputs).get("status") not in ASLEEP:
        return
    import httpx  # noqa: PLC0415

    say(f"{name}: it is asleep: waking it up")
    httpx.get(f"{outputs['api_url']}/.labelspace/wake", timeout=30)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := sleep_status(outputs).get("status")) in ASLEEP and time.monotonic() < deadline:
        time.sleep(1)
    if state != "awake":
        raise OpsError(f"{name}: it did not become ready: see `labelspace status {name}`")
