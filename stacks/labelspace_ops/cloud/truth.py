"""The status of a workspace on Scaleway, from the URL's own word and the API's."""

from __future__ import annotations

from typing import Any

from labelspace.home import Home
from labelspace_ops import locks
from labelspace_ops.checks import bucket_row, health


def measure(name: str, outputs: dict[str, Any], home: Home) -> dict[str, Any]:
    """The status object that scripts rely on."""
    running = outputs.get("running", True)
    checks = [health(outputs["api_url"], patience=15)] if outputs and running else []
    busy = locks.busy(home, name)
    ready = "ready" if all(check["ok"] for check in checks) else "degraded"
    status = busy or ("stopped" if not running else ready if outputs else "failed")
    return {
        "name": name,
        "target": "scaleway",
        "description": outputs.get("description", ""),
        "status": status,
        "url": outputs.get("url", ""),
        "api_url": outputs.get("api_url", ""),
        "cvat_version": outputs.get("cvat_version", ""),
        "admin_username": outputs.get("admin_username", ""),
        "buckets": [bucket_row(bucket) for bucket in outputs.get("buckets", [])],
        "backup": {**outputs.get("backups", {}), "copies": None, "last": None, "last_archived": None},
        "cost": outputs.get("cost", {}),
        "checks": checks,
    }
