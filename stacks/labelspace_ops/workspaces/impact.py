"""How far a setting reaches, what holds data, and who waits while a part is replaced."""

from __future__ import annotations

BACKENDS = frozenset({"migrate", "server", "worker", "worker-chunks", "readiness"})
SHARE = frozenset({"server", "worker", "worker-chunks", "readiness"})
EVERYTHING = BACKENDS | {"database", "redis", "cache", "opa", "ui", "proxy", "gateway"}
REACH: dict[str, frozenset[str]] = {
    "description": frozenset(),
    "admin": frozenset({"readiness", "admin"}),
    "registration": BACKENDS | {"proxy"},
    "default_role": BACKENDS,
    "bind_address": frozenset({"proxy", "gateway", "server", "readiness"}),
    "port": frozenset({"proxy", "readiness"}),
    "s3_port": frozenset({"gateway"}),
    "size": BACKENDS | {"redis", "cache", "database"},
    "cvat_version": BACKENDS | {"ui", "server-image"},
    "backup": frozenset({"database", "migrate", "readiness"}),
    "sleep_after_minutes": EVERYTHING | {"sleeper", "notes"},
}
"""Setting -> parts that it changes, or that follow those; a test declares the workspace both ways."""

HOLDS = {
    "database": "annotations",
    "data": "uploaded media",
    "keys": "session keys",
    "redis": "queued jobs",
    "logs": "logs",
}
"""Volume -> what users would lose with it."""

ABOUT_A_MINUTE = "about a minute: the server starts again; what is open in a browser can be saved after it"
WAITS = {
    "server": ABOUT_A_MINUTE,
    "database": ABOUT_A_MINUTE,
    "proxy": "seconds: the URL does not answer",
    "ui": "seconds: pages do not load",
    "gateway": "seconds: uploads wait",
    "redis": "seconds: queued jobs wait",
    "cache": "seconds: frames are made again",
    "worker": "imports and exports under way start again",
    "worker-chunks": "seconds: frames wait",
}


def affects(key: str, part: str) -> bool:
    """Whether the containers of ``part`` may change with the setting ``key`` (dotted)."""
    head, _, bucket = key.partition(".")
    if head == "running":
        return True  # a stopped workspace has no containers
    if head != "buckets":
        return part in REACH.get(head, ())
    bucket = bucket.removesuffix(".access_key").removesuffix(".secret_key")
    return part in SHARE | {"gateway", f"bucket-{bucket}", f"mount-{bucket}"}


def data_effect(kind: str, part: str, action: str, name: str) -> str:
    """What becomes of the data behind a resource."""
    if kind == "volume" and part in HOLDS:
        kept = f"kept on this machine: {HOLDS[part]} stay in volume labelspace-{name}-{part}"
        return {"delete": kept, "replace": f"AT RISK: {HOLDS[part]} in volume labelspace-{name}-{part}"}.get(
            action, ""
        )
    if kind == "randompassword" and action != "create":
        return "AT RISK: a generated password changes"
    if kind == "container" and action != "create":
        return _behind(part, action)
    return ""


def _behind(part: str, action: str) -> str:
    if part.startswith("bucket-") and action == "delete":
        return "kept: the bucket's objects stay where they are"
    return f"kept: {HOLDS[part]} are in a volume" if part in HOLDS else ""


def who_waits(kind: str, part: str, action: str) -> str:
    """Who waits, and how long, while the part is changed; empty for nobody."""
    return WAITS.get(part, "") if kind == "container" and action in ("replace", "update", "delete") else ""
