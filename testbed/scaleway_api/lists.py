"""Lists of resources: what a key may see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import Cloud, shown
from testbed.scaleway_api.iam import SECRETS
from testbed.scaleway_api.instance import SERVERS, VOLUMES
from testbed.scaleway_api.network import NETWORKS
from testbed.scaleway_api.rdb import INSTANCES

LISTED = {
    SERVERS: ("instance_server", "servers"),
    INSTANCES: ("instance", "instances"),
    NETWORKS: ("private_network", "private_networks"),
    VOLUMES: ("volume", "volumes"),
    SECRETS: ("secret", "secrets"),
}


def routes(cloud: Cloud) -> list[Route]:
    found = []
    for path, (kind, name) in LISTED.items():

        async def every(_: Request, kind: str = kind, name: str = name) -> Response:
            rows = [shown(one) for one in cloud.all(kind).values()]
            return JSONResponse({name: rows, "total_count": len(rows)})

        found.append(Route(path, every, methods=["GET"]))
    return found
