"""Lists of resources: what a key may see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import Cloud, Item, shown
from testbed.scaleway_api.iam import PROJECTS, SECRETS
from testbed.scaleway_api.instance import SERVERS, VOLUMES, ZONE
from testbed.scaleway_api.network import NETWORKS, VPCS
from testbed.scaleway_api.rdb import INSTANCES, SNAPSHOTS

QUOTA = "/iam/v1alpha1/quota"
LISTED = {
    SERVERS: ("instance_server", "servers"),
    INSTANCES: ("instance", "instances"),
    VPCS: ("vpc", "vpcs"),
    NETWORKS: ("private_network", "private_networks"),
    VOLUMES: ("volume", "volumes"),
    f"{ZONE}/ips": ("instance_ip", "ips"),
    f"{ZONE}/security_groups": ("instance_security_group", "security_groups"),
    SECRETS: ("secret", "secrets"),
    SNAPSHOTS: ("snapshot", "snapshots"),
    PROJECTS: ("project", "projects"),
    QUOTA: ("quotum", "quota"),
    "/iam/v1alpha1/applications": ("application", "applications"),
    "/iam/v1alpha1/policies": ("policy", "policies"),
    "/iam/v1alpha1/api-keys": ("access_key", "api_keys"),
    "/iam/v1alpha1/groups": ("group", "groups"),
}


def routes(cloud: Cloud) -> list[Route]:
    found = []
    for path, (kind, name) in LISTED.items():

        async def every(request: Request, kind: str = kind, name: str = name) -> Response:
            rows = [shown(one) for one in cloud.all(kind).values() if _is_asked_for(one, request)]
            return paged(request, name, rows)

        found.append(Route(path, every, methods=["GET"]))
    return found


def paged(request: Request, name: str, rows: list[Item]) -> Response:
    """One page; the API of Instances counts in a header (as recorded), the others in the body."""
    of_instances = request.url.path.startswith("/instance/")
    asked, word = request.query_params, "per_page" if of_instances else "page_size"
    page, size = int(asked.get("page", 1)), int(asked.get(word, 50))
    shown_rows = rows[(page - 1) * size : page * size]
    if of_instances:
        return JSONResponse({name: shown_rows}, headers={"X-Total-Count": str(len(rows))})
    return JSONResponse({name: shown_rows, "total_count": len(rows)})


def _is_asked_for(item: Item, request: Request) -> bool:
    """By the filters that the SDK has for all of them: project, name, the instance that it is of."""
    asked = request.query_params
    principals = [
        asked.get(f"{kind}_ids") in (None, item.get(f"{kind}_id"), *item.get(f"{kind}_ids", []))
        for kind in ("application", "user", "group")
    ]
    return all(
        [
            *principals,
            asked.get("project_id", asked.get("project"))
            in (None, item.get("project_id", item.get("project", item.get("_project")))),
            asked.get("name", "") in item.get("name", ""),
            asked.get("instance_id") in (None, item.get("instance_id")),
        ]
    )
