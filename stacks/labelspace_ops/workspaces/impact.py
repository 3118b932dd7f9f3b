"""The impact of a change: which parts a setting affects, what happens to data, and the downtime."""

from __future__ import annotations

CVAT_BACKENDS = frozenset({"migrate", "server", "worker", "worker-chunks", "readiness"})
BUCKET_READERS = frozenset({"server", "worker", "worker-chunks", "readiness"})
ALL_PARTS = CVAT_BACKENDS | {"database", "redis", "cache", "opa", "ui", "proxy", "gateway"}
AFFECTED_PARTS: dict[str, frozenset[str]] = {
    "description": frozenset(),
    "admin": frozenset({"readiness", "admin"}),
    "registration": frozenset({"server", "proxy", "readiness"}),
    "default_role": frozenset({"server", "readiness"}),
    "bind_address": frozenset({"proxy", "gateway", "server", "readiness"}),
    "port": frozenset({"proxy", "readiness"}),
    "public_url": frozenset({"server", "proxy", "readiness"}),
    "email": frozenset({"server", "readiness"}),
    "tls": frozenset({"proxy", "server", "readiness"}),
    "trusted_proxies": frozenset({"proxy", "readiness"}),
    "s3_port": frozenset({"gateway"}),
    "size": CVAT_BACKENDS | {"redis", "cache", "database"},
    "allow_untested_cvat": frozenset(),
    "star_banner": frozenset({"server", "readiness"}),
    "cvat_version": CVAT_BACKENDS | {"ui", "server-image", "ui-image"},
    "backup": frozenset({"database", "migrate", "readiness"}),
    "egress": CVAT_BACKENDS,
    "sleep_after_minutes": ALL_PARTS | {"sleeper", "notes"},
}
"""Setting -> parts that change with it, directly or because they depend on a part that does.

A unit test declares a workspace with and without each change and compares the parts."""

VOLUME_CONTENT = {
    "database": "annotations",
    "data": "uploaded media",
    "keys": "session keys",
    "redis": "queued jobs",
    "logs": "logs",
}
"""Volume -> the data that it holds."""

SERVER_RESTART = "about a minute: the server restarts; work that is open in a browser can be saved afterwards"
DOWNTIMES = {
    "server": SERVER_RESTART,
    "database": SERVER_RESTART,
    "proxy": "seconds: the URL does not answer",
    "ui": "seconds: pages do not load",
    "gateway": "seconds: uploads wait",
    "redis": "seconds: queued jobs wait",
    "cache": "seconds: frames are decoded again",
    "worker": "running imports and exports start again",
    "worker-chunks": "seconds: frames wait",
}


def affects(key: str, part: str) -> bool:
    """Whether the containers of ``part`` may change with the setting ``key`` (dotted)."""
    head, _, bucket = key.partition(".")
    if head == "running":
        return True  # a stopped workspace has no containers
    if head != "buckets":
        return part in AFFECTED_PARTS.get(head, ())
    bucket = bucket.removesuffix(".access_key").removesuffix(".secret_key")
    return part in BUCKET_READERS | {"gateway", f"bucket-{bucket}", f"mount-{bucket}"}


def data_effect(kind: str, part: str, action: str, name: str) -> str:
    """Say what happens to the data of a resource that changes; empty when it holds none."""
    if kind == "volume" and part in VOLUME_CONTENT:
        kept = f"kept on this machine: {VOLUME_CONTENT[part]} stay in volume labelspace-{name}-{part}"
        return {
            "delete": kept,
            "replace": f"AT RISK: {VOLUME_CONTENT[part]} in volume labelspace-{name}-{part}",
        }.get(action, "")
    if kind == "randompassword" and action != "create":
        return "AT RISK: a generated password changes"
    if kind == "container" and action != "create":
        return _container_data(part, action)
    return ""


def _container_data(part: str, action: str) -> str:
    if part.startswith("bucket-") and action == "delete":
        return "kept: the bucket's objects are not touched"
    return f"kept: {VOLUME_CONTENT[part]} are in a volume" if part in VOLUME_CONTENT else ""


def downtime_of(kind: str, part: str, action: str) -> str:
    """Describe the downtime while the part is changed; empty when there is none."""
    return (
        DOWNTIMES.get(part, "") if kind == "container" and action in ("replace", "update", "delete") else ""
    )
