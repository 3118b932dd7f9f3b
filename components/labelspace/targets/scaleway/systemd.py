"""The systemd units of the server: the files of ``server_files/systemd``, with the mounts filled in."""

from __future__ import annotations

from importlib.resources import files as package_files

from labelspace.targets.scaleway.boot_config import BootConfig
from labelspace.targets.scaleway.bucket import SHARE

MOUNT = "mount"
MOUNT_OPTIONS = (
    *("--read-only", "--allow-other", "--uid 1000", "--gid 1000", "--dir-cache-time 1h"),
    *("--use-server-modtime", "--vfs-cache-mode full", "--vfs-cache-max-size 5G", "--attr-timeout 10m"),
    *("--contimeout 10s", "--timeout 60s", "--low-level-retries 3"),
)
"""How rclone mounts a bucket; ``bench/mount.py`` measures exactly these."""

_UNITS = (
    "labelspace-tell.service",
    "labelspace-prepare.service",
    "docker.service.d/labelspace.conf",
    "labelspace-share@.service",
    "labelspace.service",
)
_DUMP_UNITS = (
    "labelspace-dump.service",
    "labelspace-dump.timer",
    "labelspace-drill.service",
    "labelspace-drill.timer",
)
_CHECK_UNITS = ("labelspace-check.service", "labelspace-check.timer")


def units(boot: BootConfig) -> dict[str, str]:
    """Path under ``/etc/systemd/system`` -> content. Dumps by timer exist for a managed database alone."""
    dumps = () if boot.has_own_database else _DUMP_UNITS
    return {name: _unit(name) for name in (*_UNITS, *dumps, *_CHECK_UNITS)}


def share_units(boot: BootConfig) -> list[str]:
    """The units that mount the dataset buckets."""
    return [f"labelspace-share@{name}.service" for name in boot.buckets]


def started_units(boot: BootConfig) -> list[str]:
    """The units that are enabled once Docker runs."""
    dumps = [] if boot.has_own_database else ["dump", *(["drill"] if boot.drill_interval_days else [])]
    return ["labelspace.service", *(f"labelspace-{name}.timer" for name in (*dumps, "check"))]


def _unit(name: str) -> str:
    text = package_files("labelspace.targets.scaleway").joinpath("server_files", "systemd", name).read_text()
    values = {"@SHARE@": SHARE, "@MOUNT@": MOUNT, "@MOUNT_OPTIONS@": " ".join(MOUNT_OPTIONS)}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
