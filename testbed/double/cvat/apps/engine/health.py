"""The parts of CVAT's health, under CVAT's names."""

import shutil
import urllib.request

from django.conf import settings
from django.core.cache import caches
from django.db import connection


def _cache(name):
    caches[name].set("health", "ok", 5)
    if caches[name].get("health") != "ok":
        raise RuntimeError("unavailable: wrong value")


def _database():
    with connection.cursor() as cursor:
        cursor.execute("select 1")


def _disk():
    usage = shutil.disk_usage("/")
    limit = settings.HEALTH_DISK_USAGE_MAX
    if limit and usage.used * 100 / (usage.used + usage.free) >= limit:
        raise RuntimeError(f"warning: disk usage exceeds {limit}%")


def _memory():
    with open("/proc/meminfo") as file:
        rows = dict(line.split(":", 1) for line in file)
    if int(rows["MemAvailable"].split()[0]) < 100 * 1024:
        raise RuntimeError("warning: less than 100 MB available")


def _opa():
    urllib.request.urlopen(f"{settings.OPA_URL}/health?bundles", timeout=3)


CHECKS = {
    "Cache backend: default": lambda: _cache("default"),
    "Cache backend: media": lambda: _cache("media"),
    "DatabaseBackend": _database,
    "DatabaseBackend[default]": _database,
    "DiskUsage": _disk,
    "MemoryUsage": _memory,
    "OPAHealthCheck": _opa,
}


def report():
    return {name: _one(check) for name, check in CHECKS.items()}


def _one(check):
    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "working"
