"""The double as a web application, and run in a thread of a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api import authorization, iam, instance, lists, network, objects, rdb
from testbed.scaleway_api.cloud import ApiError, Cloud


def application(cloud: Cloud) -> Starlette:
    """Routes by host: Object Storage's own, everything else the API's."""
    modules = (iam, instance, lists, network, rdb)
    api = Starlette(
        routes=[route for module in modules for route in module.routes(cloud)],
        exception_handlers={ApiError: lambda _, error: error.response()},
    )

    async def every(request: Request) -> Response:
        body = await request.body()
        host, path = request.headers.get("host", ""), request.url.path
        cloud.calls.append(
            (request.method, host + path if "scw.cloud" in host else path, body.decode(errors="replace"))
        )
        fault = cloud.fault(request.method, host + path)
        if fault and not fault.after:
            return _failed(fault.status, fault.body)
        response = await _handle(request)
        return _failed(fault.status, fault.body) if fault else response

    async def _handle(request: Request) -> Response:
        signed = request.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
        if signed or request.headers.get("host", "").split(":")[0].endswith(".scw.cloud"):
            return await objects.answer(cloud, request)
        if not request.headers.get("x-auth-token"):
            return JSONResponse(
                {"type": "denied_authentication", "message": "denied", "reason": "unknown"}, 401
            )
        if _is_foreign(cloud, request):
            return JSONResponse({"type": "permissions_denied", "message": "insufficient permissions"}, 403)
        return await _through(api, request)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", every, methods=methods)])


def _is_foreign(cloud: Cloud, request: Request) -> bool:
    """Whether an application's key asks for what none of its policies grants; ``access`` checks by itself."""
    caller = authorization.by_token(cloud, request.headers["x-auth-token"])
    path = request.url.path
    is_content = path.endswith("/access")
    return caller is not None and not is_content and not authorization.may_call(cloud, caller, path)


def _failed(status: int, body: dict[str, object]) -> Response:
    if status == 0:
        raise ConnectionAbortedError("the connection was cut by a fault that a test set")
    return JSONResponse(body, status_code=status)


async def _through(api: Starlette, request: Request) -> Response:
    """Hand the call to the API's own routes and take their answer."""
    body = await request.body()
    start: dict[str, object] = {}
    chunks: list[bytes] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            chunks.append(message.get("body", b""))  # type: ignore[arg-type]

    scope = {
        key: value
        for key, value in request.scope.items()
        if key not in ("path_params", "endpoint", "app", "router")
    }
    await api(scope, receive, send)  # type: ignore[arg-type]
    response = Response(b"".join(chunks), status_code=int(start["status"]))  # type: ignore[call-overload]
    response.raw_headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]  # type: ignore[attr-defined]
    response.headers["content-length"] = str(len(response.body))
    return response


@contextmanager
def running(
    cloud: Cloud, host: str = "127.0.0.1", port: int = 0, certificate: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Serve on a port of ``host``, by default a free one, while the block runs; gives ``host:port``.

    With a ``certificate`` and its key, it is served over HTTPS.
    """
    pem, key = certificate or (None, None)
    config = uvicorn.Config(
        application(cloud), host=host, port=port, log_level="critical", ssl_certfile=pem, ssl_keyfile=key
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"{host}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
