"""Serves the console on 127.0.0.1 until it is interrupted."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from labelspace.home import Home
from labelspace_ops.console.auth import SessionMiddleware, Sessions

ADDRESS = "127.0.0.1"
RECONNECT_SECONDS = 30.0


def serve(home: Home, port: int, *, on_link: Callable[[str], None]) -> None:
    """Serve until interrupted; ``on_link`` receives the first link, and a new one after each use."""
    os.environ["NICEGUI_STORAGE_PATH"] = str(home.root / "console")
    os.environ["LABELSPACE_HOME"] = str(home.root)
    keys = Sessions(port, on_used=lambda token: on_link(link(port, token)))
    guarded = SessionMiddleware(_application(home), keys)
    config = uvicorn.Config(
        guarded, host=ADDRESS, port=port, log_level="warning", access_log=False, server_header=False
    )
    _Server(config, lambda: on_link(link(port, keys.token))).run()


class _Server(uvicorn.Server):
    """Calls ``on_ready`` when the server answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()


def link(port: int, token: str) -> str:
    """Return the address that opens one session."""
    return f"http://{ADDRESS}:{port}/?token={token}"


def _application(home: Home) -> FastAPI:
    from nicegui import app, background_tasks, ui  # noqa: PLC0415 - reads its storage path when it is imported

    from labelspace_ops.console import pages, widgets  # noqa: PLC0415
    from labelspace_ops.console.status_poller import StatusPoller  # noqa: PLC0415

    logging.getLogger("nicegui").setLevel(logging.ERROR if not sys.flags.dev_mode else logging.INFO)
    watch = StatusPoller(home)
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pages.register(watch)
    ui.add_css(widgets.STYLE, shared=True)
    app.on_startup(lambda: background_tasks.create(watch.run(), name="status poller"))
    ui.run_with(
        outer,
        title="labelspace",
        dark=None,
        tailwind=False,
        reconnect_timeout=RECONNECT_SECONDS,
        show_welcome_message=False,
        favicon="🏷️",
    )
    return outer
