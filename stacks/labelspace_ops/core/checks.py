"""What the status of every target says alike: CVAT's own health, and a bucket's row."""

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
    """CVAT's own word: a status code alone would prove nothing. ``patience`` is in seconds."""
    parts: Any = None
    url = f"{api_url}/api/server/health/?format=json"
    request = urllib.request.Request(url, headers={PROBE_HEADER: "1"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:  # noqa: S310
            parts = json.load(answer)
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
    """A dataset bucket of the status before it is looked into: ``objects`` and ``bytes`` unknown."""
    return {"name": bucket["name"], "endpoint": bucket["endpoint"], "objects": None, "bytes": None}
