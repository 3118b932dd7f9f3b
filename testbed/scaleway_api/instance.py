"""Instances: servers, flexible IPs, security groups, their types and images; block volumes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import ApiError, Cloud, Item, missing, new_id, now, shown
from testbed.scaleway_api.items import item_routes
from testbed.scaleway_api.network import address, release

ZONE = "/instance/v1/zones/{zone}"
SERVERS = ZONE + "/servers"
VOLUMES = "/block/v1/zones/{zone}/volumes"
TYPES = {
    "DEV1-L": (4, 8, 0.04284),
    "DEV1-XL": (4, 12, 0.065076),
    "PLAY2-MICRO": (4, 8, 0.05508),
    "PRO2-XXS": (2, 8, 0.0561),
    "PRO2-XS": (4, 16, 0.1122),
    "PRO2-S": (8, 32, 0.22338),
    "GP1-XS": (4, 16, 0.09282),
    "GP1-S": (8, 32, 0.19074),
    "BASIC3-X4C-8G": (4, 8, 0.079001),
    "POP2-4C-16G": (4, 16, 0.147),
    "POP2-8C-32G": (8, 32, 0.29),
}
"""Cores, GiB of memory and EUR an hour; prices as recorded on 2026-07-03."""
NOT_USED: Item = {
    "bootscript": None,
    "enable_ipv6": False,
    "extra_networks": [],
    "ipv6": None,
    "location": None,
    "mac_address": "de:00:00:2d:d8:1d",
    "private_ip": None,
    "state_detail": "",
}
"""Fields that every recorded server has with these values."""
GB = 10**9
ROOT_SIZE = 10 * GB


def routes(cloud: Cloud) -> list[Route]:
    return [
        *_catalog(cloud),
        *_ips(cloud),
        *_groups(cloud),
        *_servers(cloud),
        *_user_data(cloud),
        *_nics(cloud),
        *_volumes(cloud),
    ]


def _catalog(cloud: Cloud) -> list[Route]:
    async def types(_: Request) -> Response:
        return JSONResponse({"servers": {name: _type(*size) for name, size in TYPES.items()}})

    async def availability(request: Request) -> Response:
        """As recorded: 107 types by their names, of which a page has 50 at first."""
        names = sorted([*TYPES, *(f"A-TYPE-{number}" for number in range(107 - len(TYPES)))])
        page, size = (int(request.query_params.get(key, n)) for key, n in (("page", 1), ("per_page", 50)))
        rows = {
            name: {"availability": "shortage" if name in cloud.sold_out else "available"}
            for name in names[(page - 1) * size : page * size]
        }
        return JSONResponse({"servers": rows}, headers={"X-Total-Count": str(len(names))})

    async def images(request: Request) -> Response:
        row = {
            "id": "fc4d4e26-849d-4e03-b933-cb1626ca8cad",
            "arch": "x86_64",
            "zone": request.query_params["zone"],
            "compatible_commercial_types": list(TYPES),
            "label": request.query_params["image_label"],
            "type": request.query_params.get("type", "instance_sbs"),
        }
        return JSONResponse({"local_images": [row], "total_count": 1})

    async def none(request: Request) -> Response:
        return JSONResponse(missing("instance_volume", request.path_params["id"]), 404)

    return [
        Route(f"{ZONE}/products/servers/availability", availability, methods=["GET"]),
        Route(f"{ZONE}/products/servers", types, methods=["GET"]),
        Route(f"{ZONE}/volumes/{{id}}", none, methods=["GET"]),
        Route("/marketplace/v2/local-images", images, methods=["GET"]),
    ]


def _type(cores: int, memory: int, price: float) -> Item:
    limits = {"min_size": 0, "max_size": 0}
    return {
        "alt_names": [],
        "arch": "x86_64",
        "ncpus": cores,
        "ram": memory * 2**30,
        "gpu": 0,
        "hourly_price": price,
        "monthly_price": round(price * 730, 4),
        "volumes_constraint": limits,
        "per_volume_constraint": {"l_ssd": limits},
        "capabilities": {
            "boot_types": ["local", "rescue"],
            "placement_groups": True,
            "block_storage": True,
            "private_network": 8,
            "max_file_systems": 0,
        },
        "end_of_service": False,
    }


def _ips(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        number = len(cloud.all("instance_ip")) + 10
        item = {
            "id": new_id(),
            "address": cloud.addresses.pop(0) if cloud.addresses else f"203.0.113.{number}",
            "prefix": None,
            "reverse": None,
            "server": None,
            "organization": body.get("project"),
            "project": body.get("project"),
            "state": "detached",
            "zone": request.path_params["zone"],
            "type": body.get("type", "routed_ipv4"),
            "tags": body.get("tags") or [],
            "ipam_id": new_id(),
        }
        return JSONResponse({"ip": cloud.add("instance_ip", item)}, 201)

    async def one(request: Request) -> Response:
        item = cloud.get("instance_ip", request.path_params["id"])
        if request.method == "DELETE":
            cloud.remove("instance_ip", item["id"])
            return Response(status_code=204)
        if request.method == "PATCH":
            _move(cloud, item, await request.json())
        return JSONResponse({"ip": item})

    return [
        Route(f"{ZONE}/ips", create, methods=["POST"]),
        Route(f"{ZONE}/ips/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _move(cloud: Cloud, item: Item, body: Item) -> None:
    if "tags" in body:
        item["tags"] = body["tags"] or []
    if "server" in body:
        server = body["server"]
        item["server"] = (
            {"id": server, "name": cloud.get("instance_server", server)["name"]} if server else None
        )
        item["state"] = "attached" if server else "detached"


def _groups(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        rest = {
            "id": new_id(),
            "creation_date": now(),
            "modification_date": now(),
            "servers": [],
            "organization": body["project"],
            "zone": request.path_params["zone"],
            "state": "available",
            "organization_default": False,
            "project_default": False,
            "description": None,
        }
        item = {**body, **rest, "tags": body.get("tags") or [], "_rules": []}
        return JSONResponse({"security_group": shown(cloud.add("instance_security_group", item))}, 201)

    async def one(request: Request) -> Response:
        item = cloud.get("instance_security_group", request.path_params["id"])
        if request.method == "DELETE":
            users = [one["security_group"]["id"] for one in cloud.all("instance_server").values()]
            if item["id"] in users:  # as in the tests of scaleway/scaleway-sdk-go (scw/errors_test.go)
                raise ApiError(409, {"type": "conflict", "message": "Group is in use. You cannot delete it."})
            cloud.remove("instance_security_group", item["id"])
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update({key: value for key, value in (await request.json()).items() if value is not None})
        return JSONResponse({"security_group": shown(item)})

    async def rules(request: Request) -> Response:
        item = cloud.get("instance_security_group", request.path_params["id"])
        if request.method == "PUT":
            asked = (await request.json())["rules"]
            item["_rules"] = [
                {**rule, "id": new_id(), "editable": True, "position": n + 1} for n, rule in enumerate(asked)
            ]
        count = {"X-Total-Count": str(len(item["_rules"]))}
        return JSONResponse({"rules": item["_rules"]}, headers=count)

    path = f"{ZONE}/security_groups"
    return [
        Route(path, create, methods=["POST"]),
        Route(f"{path}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
        Route(f"{path}/{{id}}/rules", rules, methods=["GET", "PUT"]),
    ]


def _servers(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        item = _made(cloud, await request.json(), request.path_params["zone"])
        return JSONResponse({"server": _shown(cloud, cloud.add("instance_server", item))}, 201)

    async def one(request: Request) -> Response:
        item = cloud.get("instance_server", request.path_params["id"])
        if request.method == "DELETE":
            _refuse_running(item)
            _gone(cloud, item)
            return Response(status_code=204)
        if request.method == "PATCH":
            _change(cloud, item, await request.json())
        return JSONResponse({"server": _shown(cloud, item)})

    async def action(request: Request) -> Response:
        item = cloud.get("instance_server", request.path_params["id"])
        what = (await request.json())["action"]
        _act(cloud, item, what)
        task = {
            "id": new_id(),
            "description": what,
            "status": "pending",
            "progress": 0,
            "terminated_at": None,
            "href_result": f"/servers/{item['id']}",
            "href_from": f"/servers/{item['id']}/action",
            "zone": item["zone"],
            "started_at": now(),
        }
        return JSONResponse({"task": task}, 202)

    return [
        Route(SERVERS, create, methods=["POST"]),
        Route(f"{SERVERS}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
        Route(f"{SERVERS}/{{id}}/action", action, methods=["POST"]),
    ]


def _made(cloud: Cloud, body: Item, zone: str) -> Item:
    identity = new_id()
    _refuse_sold_out(cloud, body["commercial_type"])
    wanted = dict(body["volumes"])
    _refuse_used(cloud, [one["id"] for one in wanted.values() if "id" in one])
    root = _volume(body["project"], zone, "root", wanted.pop("0").get("size") or ROOT_SIZE)
    cloud.add("volume", root)
    volumes = {"0": root["id"], **{key: one["id"] for key, one in wanted.items()}}
    for volume in volumes.values():
        _attach(cloud, volume, identity)
    ips = body.get("public_ips") or []
    for ip in ips:
        _move(cloud, cloud.get("instance_ip", ip), {})
        cloud.get("instance_ip", ip).update(server={"id": identity, "name": body["name"]}, state="attached")
    group = body.get("security_group")
    return {
        "id": identity,
        "name": body["name"],
        "arch": "x86_64",
        "commercial_type": body["commercial_type"],
        "boot_type": body.get("boot_type") or "local",
        "organization": body["project"],
        "project": body["project"],
        "hostname": body["name"],
        "image": {"id": body["image"], "name": "Ubuntu 24.04 Noble Numbat"},
        "tags": body.get("tags") or [],
        "state": "stopped",
        "protected": body.get("protected", False),
        "dynamic_ip_required": body.get("dynamic_ip_required", False),
        "routed_ip_enabled": True,
        "creation_date": now(),
        "modification_date": now(),
        "maintenances": [],
        "filesystems": [],
        "allowed_actions": ["poweron", "backup"],
        "placement_group": None,
        "zone": zone,
        "end_of_service": False,
        "security_group": {"id": group, "name": "group"},
        "dns": f"{identity}.pub.instances.scw.cloud",
        "_volumes": volumes,
        "_ips": ips,
        "_user_data": {},
        "_nics": {},
    }


def _refuse_running(item: Item) -> None:
    """Only a server that is powered off can be deleted (inlets/inletsctl names status and text)."""
    if item["state"] != "stopped":
        problem = {"type": "precondition_failed", "precondition": "resource_still_in_use"}
        raise ApiError(400, {**problem, "help_message": "instance should be powered off"})


def _refuse_sold_out(cloud: Cloud, kind: str) -> None:
    """Without stock, a server is neither created nor started again."""
    if kind in cloud.sold_out:
        problem = {"type": "out_of_stock", "message": "resource is out of stock", "resource": kind}
        raise ApiError(412, problem)


def _refuse_used(cloud: Cloud, volumes: list[str]) -> None:
    """An exclusive reference is one server's alone; the words of the refusal are not recorded."""
    used = next((one for one in volumes if cloud.get("volume", one)["references"]), None)
    if used:
        problem = {"type": "precondition_failed", "message": f"volume {used} is in use"}
        raise ApiError(412, {**problem, "precondition": "resource_still_in_use"})


def _shown(cloud: Cloud, item: Item) -> Item:
    volumes = {
        key: {
            "id": one,
            "volume_type": "sbs_volume",
            "boot": False,
            "state": "available",
            "zone": item["zone"],
        }
        for key, one in item["_volumes"].items()
    }
    ips = [_public(cloud.get("instance_ip", ip)) for ip in item["_ips"] if ip in cloud.all("instance_ip")]
    return {
        **shown(item),
        **NOT_USED,
        "public_ip": ips[0] if ips else None,
        "volumes": volumes,
        "public_ips": ips,
        "private_nics": list(item["_nics"].values()),
    }


def _public(ip: Item) -> Item:
    return {
        "id": ip["id"],
        "address": ip["address"],
        "gateway": "62.210.0.1",
        "netmask": "32",
        "family": "inet",
        "dynamic": False,
        "provisioning_mode": "dhcp",
        "state": ip["state"],
        "tags": [],
        "ipam_id": ip["id"],
    }


def _change(cloud: Cloud, item: Item, body: Item) -> None:
    for key, value in body.items():
        if key == "volumes":
            _reattach(cloud, item, {slot: one["id"] for slot, one in value.items()})
        elif key == "public_ips":
            item["_ips"] = value
        elif key == "security_group":
            item[key] = value if isinstance(value, dict) else {"id": value, "name": "group"}
        elif value is not None:
            item[key] = value


def _reattach(cloud: Cloud, item: Item, volumes: dict[str, str]) -> None:
    for one in item["_volumes"].values():
        if one not in volumes.values():
            _detach(cloud, one)
    for one in volumes.values():
        _attach(cloud, one, item["id"])
    item["_volumes"] = volumes


def _act(cloud: Cloud, item: Item, what: str) -> None:
    if what == "poweron":
        _refuse_sold_out(cloud, item["commercial_type"])
        item["state"] = "starting"
        cloud.later(item["id"], {"state": "running"})
    elif what in ("poweroff", "stop_in_place"):
        item["state"] = "stopping"
        cloud.later(item["id"], {"state": "stopped" if what == "poweroff" else "stopped in place"})
    elif what == "terminate":
        _gone(cloud, item)


def _gone(cloud: Cloud, item: Item) -> None:
    """Deleting the root volume needs a request of its own; other volumes and the IP stay."""
    for volume in item["_volumes"].values():
        _detach(cloud, volume)
    for nic in item["_nics"]:
        release(cloud, nic)
    for ip in item["_ips"]:
        if ip in cloud.all("instance_ip"):
            cloud.get("instance_ip", ip).update(server=None, state="detached")
    cloud.remove("instance_server", item["id"])


def _user_data(cloud: Cloud) -> list[Route]:
    async def keys(request: Request) -> Response:
        return JSONResponse(
            {"user_data": list(cloud.get("instance_server", request.path_params["id"])["_user_data"])}
        )

    async def one(request: Request) -> Response:
        data = cloud.get("instance_server", request.path_params["id"])["_user_data"]
        key = request.path_params["key"]
        if request.method == "GET":
            return PlainTextResponse(data[key])
        if request.method == "DELETE":
            data.pop(key, None)
        else:
            data[key] = (await request.body()).decode()
        return Response(status_code=204)

    path = f"{SERVERS}/{{id}}/user_data"
    return [
        Route(path, keys, methods=["GET"]),
        Route(f"{path}/{{key}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _nics(cloud: Cloud) -> list[Route]:
    async def nics(request: Request) -> Response:
        server = cloud.get("instance_server", request.path_params["id"])
        if request.method == "GET":
            count = {"X-Total-Count": str(len(server["_nics"]))}
            return JSONResponse({"private_nics": list(server["_nics"].values())}, headers=count)
        body = await request.json()
        item = {
            "id": new_id(),
            "private_network_id": body["private_network_id"],
            "server_id": server["id"],
            "mac_address": "02:00:00:2d:d8:1d",
            "state": "available",
            "creation_date": now(),
            "modification_date": now(),
            "zone": server["zone"],
            "tags": [],
        }
        network = body["private_network_id"]
        item["ipam_ip_ids"] = [address(cloud, network, "instance_private_nic", item["id"], 3)["id"]]
        server["_nics"][item["id"]] = item
        return JSONResponse({"private_nic": item}, 201)

    async def one(request: Request) -> Response:
        server = cloud.get("instance_server", request.path_params["id"])
        nic = request.path_params["nic"]
        if nic not in server["_nics"]:
            raise ApiError(404, missing("instance_private_nic", nic))
        if request.method == "DELETE":
            release(cloud, nic)
            del server["_nics"][nic]
            return Response(status_code=204)
        return JSONResponse({"private_nic": server["_nics"][nic]})

    path = f"{SERVERS}/{{id}}/private_nics"
    return [
        Route(path, nics, methods=["GET", "POST"]),
        Route(f"{path}/{{nic}}", one, methods=["GET", "DELETE"]),
    ]


def _volume(project: str, zone: str, name: str, size: int, iops: int = 5000) -> Item:
    return {
        "id": new_id(),
        "name": name,
        "type": f"sbs_{iops // 1000}k",
        "size": size,
        "project_id": project,
        "created_at": now(),
        "updated_at": now(),
        "references": [],
        "parent_snapshot_id": None,
        "status": "available",
        "tags": [],
        "specs": {"perf_iops": iops, "class": "sbs"},
        "kms_key_id": None,
        "last_detached_at": None,
        "zone": zone,
    }


def _attach(cloud: Cloud, volume: str, server: str) -> None:
    reference = {
        "id": new_id(),
        "product_resource_type": "instance_server",
        "product_resource_id": server,
        "created_at": now(),
        "type": "exclusive",
        "status": "attached",
    }
    cloud.get("volume", volume).update(references=[reference], status="in_use")


def _detach(cloud: Cloud, volume: str) -> None:
    if volume in cloud.all("volume"):
        cloud.get("volume", volume).update(references=[], status="available")


def _volumes(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        size = body["from_empty"]["size"]
        item = _volume(body["project_id"], request.path_params["zone"], body["name"], size, body["perf_iops"])
        cloud.add("volume", {**item, "tags": body.get("tags") or [], "status": "creating"})
        cloud.later(item["id"], {"status": "available"})
        return JSONResponse(cloud.all("volume")[item["id"]])

    def refuse_removal(item: Item) -> None:
        if item["references"]:
            problem = {"type": "precondition_failed", "message": "volume is in use"}
            raise ApiError(412, {**problem, "precondition": "resource_still_in_use"})

    return item_routes(cloud, "volume", VOLUMES, create, refuse_removal)
