"""The routes that every plain resource has: create, read, change, remove."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import Cloud, Item


def item_routes(
    cloud: Cloud,
    kind: str,
    path: str,
    create: Callable[[Request], Awaitable[Response]],
    refuse_removal: Callable[[Item], None],
) -> list[Route]:
    """The routes of ``kind``; ``refuse_removal`` raises ``ApiError`` for an item that is in use."""

    async def one(request: Request) -> Response:
        item = cloud.get(kind, request.path_params["id"])
        if request.method == "DELETE":
            refuse_removal(item)
            cloud.remove(kind, item["id"])
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update({key: value for key, value in (await request.json()).items() if value is not None})
        return JSONResponse(item)

    return [
        Route(path, create, methods=["POST"]),
        Route(f"{path}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]
