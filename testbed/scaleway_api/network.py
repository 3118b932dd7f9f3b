"""VPC, IPAM and DNS records."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import ApiError, Cloud, Item, new_id, now
from testbed.scaleway_api.items import item_routes

VPCS = "/vpc/v2/regions/{region}/vpcs"
NETWORKS = "/vpc/v2/regions/{region}/private-networks"
PREFIXES = range(20, 30)
"""Lengths of a private network's IPv4 prefix (scaleway/scaleway-sdk-go issue 1807)."""
RESERVED = tuple(map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "100.64.0.0/10")))
"""Scaleway's own ranges, which it refuses (scaleway/docs-content pull request 6403)."""
ALLOCATED = ipaddress.IPv4Network("172.17.32.0/19")
"""Networks without a subnet get a /22 of here; recorded on 2026-02-11, on top of Docker's usual network."""


def routes(cloud: Cloud) -> list[Route]:
    return [*_vpcs(cloud), *_networks(cloud), *_addresses(cloud), *_records(cloud)]


def _vpcs(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        return JSONResponse(_vpc(cloud, request.path_params["region"], await request.json()))

    def refuse_removal(item: Item) -> None:
        if any(network["vpc_id"] == item["id"] for network in cloud.all("private_network").values()):
            problem = {"message": "VPC must be empty to be deleted", "type": "precondition_failed"}
            raise ApiError(412, {**problem, "precondition": "resource_still_in_use", "help_message": ""})

    return item_routes(cloud, "vpc", VPCS, create, refuse_removal)


def _vpc(cloud: Cloud, region: str, body: Item, *, is_default: bool = False) -> Item:
    """As recorded on 2026-06-24: routing is on, whatever the request says."""
    item = {
        "id": new_id(),
        "name": body["name"],
        "tags": body.get("tags") or [],
        "created_at": now(),
        "updated_at": now(),
        "project_id": body["project_id"],
        "organization_id": body["project_id"],
        "region": region,
        "is_default": is_default,
        "private_network_count": 0,
        "routing_enabled": True,
        "custom_routes_propagation_enabled": True,
        "transitivity_enabled": body.get("enable_transitivity", False),
    }
    return cloud.add("vpc", item)


def _default_vpc(cloud: Cloud, region: str, project: str) -> Item:
    """The VPC of a network that names none: each project has one in each region."""
    for one in cloud.all("vpc").values():
        if one["is_default"] and (one["region"], one["project_id"]) == (region, project):
            return one
    return _vpc(cloud, region, {"name": "default", "project_id": project}, is_default=True)


def _networks(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        region = request.path_params["region"]
        chosen = body.get("vpc_id")
        vpc = cloud.get("vpc", chosen) if chosen else _default_vpc(cloud, region, body["project_id"])
        subnet = _free_subnet(cloud, vpc["id"], (body.get("subnets") or [""])[0])
        item = {
            "id": new_id(),
            "name": body["name"],
            "tags": body.get("tags") or [],
            "created_at": now(),
            "updated_at": now(),
            "project_id": body["project_id"],
            "organization_id": body["project_id"],
            "vpc_id": vpc["id"],
            "dhcp_enabled": True,
            "region": region,
            "default_route_propagation_enabled": False,
        }
        item["subnets"] = [_subnet(item, one) for one in (subnet, "fd63:256c:45f7:dd3d::/64")]
        return JSONResponse(cloud.add("private_network", item))

    return item_routes(
        cloud, "private_network", NETWORKS, create, lambda item: _refuse_in_use(cloud, item["id"])
    )


def _free_subnet(cloud: Cloud, vpc: str, asked: str) -> str:
    """The subnet that was asked for, else a free one; networks of one VPC may not overlap."""
    used = [
        ipaddress.IPv4Network(network["subnets"][0]["subnet"])
        for network in cloud.all("private_network").values()
        if network["vpc_id"] == vpc
    ]
    if not asked:
        choices = ALLOCATED.subnets(new_prefix=22)
        return str(next(one for one in choices if not any(map(one.overlaps, used))))
    wanted = ipaddress.IPv4Network(asked)
    if wanted.prefixlen not in PREFIXES:
        raise ApiError(400, _invalid_subnet('prefix: {"max": 20, "min": 29}'))
    if any(map(wanted.overlaps, RESERVED)):
        raise ApiError(400, _invalid_subnet("reserved"))  # the refusal's text is not recorded
    if any(map(wanted.overlaps, used)):
        problem = {"type": "precondition_failed", "message": "precondition failed"}
        raise ApiError(412, {**problem, "precondition": "subnet_overlaps_in_project", "help_message": ""})
    return asked


def _invalid_subnet(help_message: str) -> Item:
    detail = {"argument_name": "subnets[0]", "reason": "unknown", "help_message": help_message}
    return {"type": "invalid_arguments", "message": "invalid argument(s)", "details": [detail]}


def _subnet(network: Item, text: str) -> Item:
    shared = {key: network[key] for key in ("project_id", "vpc_id", "region", "created_at", "updated_at")}
    return {"id": new_id(), "subnet": text, "private_network_id": network["id"], **shared}


def _refuse_in_use(cloud: Cloud, identity: str) -> None:
    attached = [ip for ip in cloud.all("ip_address").values() if ip["_network"] == identity]
    if attached:
        problem = {"message": "Private Network must be empty to be deleted", "type": "precondition_failed"}
        raise ApiError(412, {**problem, "precondition": "resource_still_in_use", "help_message": ""})


def address(cloud: Cloud, network_id: str, kind: str, owner: str, last: int) -> Item:
    """Give ``owner`` an address of the network, as IPAM does."""
    network = cloud.get("private_network", network_id)
    subnet = network["subnets"][0]
    base, length = subnet["subnet"].split("/")
    text = ".".join([*base.split(".")[:3], str(last)])
    return cloud.add(
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
