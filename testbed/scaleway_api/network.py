"""VPC, IPAM and DNS records."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import ApiError, Cloud, Item, new_id, now

NETWORKS = "/vpc/v2/regions/{region}/private-networks"


def routes(cloud: Cloud) -> list[Route]:
    return [*_networks(cloud), *_addresses(cloud), *_records(cloud)]


def _networks(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        region = request.path_params["region"]
        item = {
            "id": new_id(),
            "name": body["name"],
            "tags": body.get("tags") or [],
            "created_at": now(),
            "updated_at": now(),
            "project_id": body["project_id"],
            "organization_id": body["project_id"],
            "vpc_id": body.get("vpc_id") or new_id(),
            "dhcp_enabled": True,
            "region": region,
            "default_route_propagation_enabled": False,
        }
        ranges = body.get("subnets") or ["172.16.32.0/22"]
        item["subnets"] = [_subnet(item, one) for one in (*ranges, "fd63:256c:45f7:dd3d::/64")]
        return JSONResponse(cloud.add("private_network", item))

    async def one(request: Request) -> Response:
        identity = request.path_params["id"]
        item = cloud.get("private_network", identity)
        if request.method == "DELETE":
            _refuse_in_use(cloud, identity)
            cloud.remove("private_network", identity)
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update({key: value for key, value in (await request.json()).items() if value is not None})
        return JSONResponse(item)

    return [
        Route(NETWORKS, create, methods=["POST"]),
        Route(f"{NETWORKS}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _subnet(network: Item, text: str) -> Item:
    shared = {key: network[key] for key in ("project_id", "vpc_id", "region", "created_at", "updated_at")}
    return {"id": new_id(), "subnet": text, "private_network_id": network["id"], **shared}


def _refuse_in_use(cloud: Cloud, identity: str) -> None:
    attached = [ip for ip in cloud.all("ip_address").values() if ip["_network"] == identity]
    if attached:
        problem = {"message": "Private Network must be empty to be deleted", "type": "precondition_failed"}
        raise ApiError(412, {**problem, "precondition": "resource_still_in_use", "help_message": ""})


def address(cloud: Cloud, network_id: str, kind: str, owner: str, last: int) -> str:
    """Give ``owner`` an address of the network, as IPAM does; returns it with its prefix length."""
    network = cloud.get("private_network", network_id)
    subnet = network["subnets"][0]
    base, length = subnet["subnet"].split("/")
    text = ".".join([*base.split(".")[:3], str(last)])
    cloud.add(
        "ip_address",
        {
            "id": new_id(),
            "address": f"{text}/{length}",
            "is_ipv6": False,
            "project_id": network["project_id"],
            "created_at": now(),
            "updated_at": now(),
            "source": {"subnet_id": subnet["id"]},
            "tags": [],
            "resource": {"type": kind, "id": owner, "mac_address": None, "name": owner},
            "reverses": [],
            "region": network["region"],
            "zone": None,
            "_network": network_id,
        },
    )
    return f"{text}/{length}"


def release(cloud: Cloud, owner: str) -> None:
    """Take the owner's addresses back."""
    for ip in [one for one in cloud.all("ip_address").values() if one["resource"]["id"] == owner]:
        cloud.remove("ip_address", ip["id"])


def _addresses(cloud: Cloud) -> list[Route]:
    async def ips(request: Request) -> Response:
        owner = request.query_params.get("resource_id")
        rows = [one for one in cloud.all("ip_address").values() if one["resource"]["id"] == owner]
        public = [{key: value for key, value in row.items() if key[0] != "_"} for row in rows]
        return JSONResponse({"ips": public, "total_count": len(public)})

    return [Route("/ipam/v1/regions/{region}/ips", ips, methods=["GET"])]


def _records(cloud: Cloud) -> list[Route]:
    async def zones(request: Request) -> Response:
        name = request.query_params.get("dns_zones") or request.query_params.get("dns_zone", "")
        row: Item = {"domain": name, "subdomain": "", "ns": [], "status": "active", "project_id": None}
        return JSONResponse({"dns_zones": [row], "total_count": 1})

    async def records(request: Request) -> Response:
        if request.method == "GET":
            rows = [
                one for one in cloud.all("record").values() if one["_zone"] == request.path_params["zone"]
            ]
            return JSONResponse({"records": rows, "total_count": len(rows)})
        added: list[Item] = []
        for change in (await request.json())["changes"]:
            for record in change.get("add", {}).get("records", []):
                item = {**record, "id": new_id(), "_zone": request.path_params["zone"]}
                added.append(cloud.add("record", item))
            if "delete" in change:
                cloud.remove("record", change["delete"]["id"])
        return JSONResponse({"records": added})

    return [
        Route("/domain/v2beta1/dns-zones", zones, methods=["GET"]),
        Route("/domain/v2beta1/dns-zones/{zone}/records", records, methods=["GET", "PATCH"]),
    ]
