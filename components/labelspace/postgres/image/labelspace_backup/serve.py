"""Answers the notifier: the state of backups and disks as JSON, by HTTP inside the workspace's network.

A process of its own, so that neither waits for the other. What it answers holds no secret.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from . import engines, settings, state
from .programs import Json
from .settings import CVAT, DATA, PLACE

PORT = 8099
WANTED = "LABELSPACE_SERVES_STATE"
"""A variable of this name in the environment asks for it. As in ``labelspace.notify.service``."""
DISKS = {"database": DATA, "files": CVAT / "data", "backups": PLACE}


def start() -> None:
    """Start the process where it is asked for; an older one goes on, and the new one ends."""
    if os.environ.get(WANTED):
        subprocess.Popen([sys.executable, "-m", "labelspace_backup", "serve"])


def serve() -> None:
    """Answer for ever; raises ``OSError`` when another process does."""
    HTTPServer(("", PORT), _Handler).serve_forever()


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        """Measure now."""
        body = json.dumps({**state.measure(engines.create(settings.load())), "disks": disks()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is http.server's
        """Nothing: it is asked twice a minute."""


def disks(places: dict[str, Path] = DISKS) -> list[Json]:
    """How full each disk is, in percent; folders on one disk are one row."""
    found: dict[int, Json] = {}
    for name, path in places.items():
        if path.exists():
            found.setdefault(path.stat().st_dev, {"name": name, "used_percent": state.used_percent(path)})
    return list(found.values())
