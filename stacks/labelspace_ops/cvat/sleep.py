"""Workspaces that sleep when nobody uses them: read their sleep status, and wake them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labelspace_ops.core import proxies
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import message
from labelspace_ops.core.waiting import wait_until

ASLEEP = ("asleep", "waking")
PATIENCE_SECONDS = 960


@dataclass(frozen=True)
class SleepStatus:
    """``status`` is awake, asleep, waking or failed, and empty for a workspace that never sleeps.

    ``since`` is when it began (ISO 8601).
    """

    status: str = ""
    since: str | None = None


def sleep_status(outputs: dict[str, Any]) -> SleepStatus:
    """Ask the sleeper of a workspace for its status; empty when it does not answer."""
    if not outputs.get("sleep_after_minutes") or outputs.get("running") is False:
        return SleepStatus()
    import httpx  # noqa: PLC0415 - slow to load; only for workspaces that can sleep

    proxies.exempt_own(outputs["api_url"])
    try:
        response = httpx.get(f"{outputs['api_url']}/.labelspace/state.json", timeout=10)
        row = response.json() if response.status_code == httpx.codes.OK else {}
        return SleepStatus(str(row.get("status", "")), row.get("since"))
    except (httpx.HTTPError, ValueError):
        return SleepStatus()


def wake(name: str, outputs: dict[str, Any]) -> None:
    """Wake the workspace if it sleeps, and wait until it is ready.

    Raises ``OpsError`` when it is stopped, or not ready after ``PATIENCE_SECONDS``.
    """
    if outputs.get("running") is False:
        raise OpsError(f"{name}: it is stopped: run `labelspace start {name}` first")
    if sleep_status(outputs).status not in ASLEEP:
        return
    import httpx  # noqa: PLC0415 - slow to load; only for workspaces that can sleep

    message(f"{name}: it is asleep: waking it up")
    httpx.get(f"{outputs['api_url']}/.labelspace/wake", timeout=30)
    wait_until(
        lambda: _is_awake(name, outputs),
        timeout=PATIENCE_SECONDS,
        interval=1,
        on_timeout=f"{name}: it is not ready after {PATIENCE_SECONDS // 60} minutes:"
        f" see `labelspace status {name}`",
    )


def _is_awake(name: str, outputs: dict[str, Any]) -> bool:
    """Return False while the workspace is asleep or waking; raises ``OpsError`` when waking failed."""
    status = sleep_status(outputs).status
    if status not in (*ASLEEP, "awake"):
        raise OpsError(f"{name}: it did not become ready: see `labelspace status {name}`")
    return status == "awake"
