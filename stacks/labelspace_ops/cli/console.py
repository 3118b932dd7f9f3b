"""The command ``console``."""

from __future__ import annotations

from typing import Annotated

import typer

from labelspace_ops.cli.app import app, say

FIRST_PORT = 8400


@app.command()
def console(
    port: Annotated[int, typer.Option(help="port on 127.0.0.1; a free one by default")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="open a browser")] = True,
) -> None:
    """Serve the web console on this machine until Ctrl-C."""
    import threading
    import webbrowser

    from labelspace.home import Home
    from labelspace_ops.console import server
    from labelspace_ops.targets.local import preflight

    if port and preflight.listening_problem(server.ADDRESS, port):
        from labelspace_ops.core.errors import UsageError

        raise UsageError(f"port: {port} is in use on {server.ADDRESS}: choose another, or leave --port out")
    links: list[str] = []

    def show_link(link: str) -> None:
        say(f"{'console' if not links else 'another browser'}: {link}  (works once)")
        links.append(link)
        if browser and len(links) == 1:
            threading.Timer(1.0, webbrowser.open, [link]).start()

    chosen = port or preflight.free_port(server.ADDRESS, FIRST_PORT, set())
    server.serve(Home.find(), chosen, on_link=show_link)
