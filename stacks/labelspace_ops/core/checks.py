"""Checks that every target's status shares: CVAT's health, and the row of a dataset bucket."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from labelspace.cvat.caddy import PROBE_HEADER
from labelspace_ops.core.errors import OpsError

LATE_FACTOR = 1.5
"""A backup or drill is late when it is older than this many of its intervals."""
Check = dict[str, Any]
"""``name``, ``ok`` and ``detail``."""


def run_check(name: str, check: Callable[[], str]) -> Check:
    """The check with the detail that ``check`` returns, or with the ``OpsError`` that it raises."""
    try:
        return {"name": name, "ok": True, "detail": check()}
    except OpsError as error:
        return {"name": name, "ok": False, "detail": str(error)}


def cvat_health(api_url: str, patience: float = 10) -> Check:
    """Check CVAT's health endpoint; ``patience`` is the timeout in seconds.

    The answer's body is read: its status code alone does not prove that every part works.
    """
    parts: Any = None
    url = f"{api_url}/api/server/health/?format=json"
    request = urllib.request.Request(url, headers={PROBE_HEADER: "1"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=patience) as response:  # noqa: S310
            parts = json.load(response)
    except urllib.error.HTTPError as error:
        return {"name": "health", "ok": False, "detail": error.read(500).decode(errors="replace")}
    except (OSError, ValueError) as error:
        return {"name": "health", "ok": False, "detail": str(error)}
    broken = {name: text for name, text in parts.items() if text != "working"}
    return {
        "name": "health",
        "ok": not broken,
        "detail": json.dumps(broken) if broken else "every part works",
    }


def bucket_row(bucket: dict[str, Any]) -> dict[str, Any]:
    """The status row of a dataset bucket that is not measured yet: ``objects`` and ``bytes`` are None."""
    return {"name": bucket["name"], "endpoint": bucket["endpoint"], "objects": None, "bytes": None}
