"""Managed databases."""

from __future__ import annotations

import base64
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api.cloud import ApiError, Cloud, Item, new_id, now, shown
from testbed.scaleway_api.network import address, release

INSTANCES = "/rdb/v1/regions/{region}/instances"
ENGINE = {
    "name": "PostgreSQL-15",
    "version": "15",
    "disabled": False,
    "beta": False,
    "available_settings": [],
    "available_init_settings": [],
    "end_of_life": "2027-11-11T00:00:00Z",
}
SNAPSHOTS = "/rdb/v1/regions/{region}/snapshots"
NODE_TYPES = ("DB-DEV-S", "DB-PLAY2-PICO", "DB-PLAY2-NANO", "DB-PRO2-XXS")


def routes(cloud: Cloud) -> list[Route]:
    parts = (_instances, _users, _databases, _privileges, _snapshots, _rest)
    return [route for part in parts for route in part(cloud)]


def _instances(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        item = cloud.add("instance", _made(body, request.path_params["region"]))
        for spec in body.get("init_endpoints") or []:
            item["endpoints"].append(_endpoint(cloud, item, spec))
        cloud.later(item["id"], {"status": "ready"}, looks=3)
        return JSONResponse(shown(item))

    async def one(request: Request) -> Response:
        identity = request.path_params["id"]
        item = cloud.get("instance", identity)
        if request.method == "PATCH":
            _change(item, await request.json())
        if request.method == "DELETE":
            item["status"] = "deleting"
            release(cloud, identity)
            cloud.later(identity, {"_gone": True})
        return JSONResponse(shown(item))

    async def upgrade(request: Request) -> Response:
        item = cloud.get("instance", request.path_params["id"])
        body = await request.json()
        if "volume_size" in body:
            item["volume"] = {**item["volume"], "size": body["volume_size"]}
        if "node_type" in body:
            item["node_type"] = body["node_type"]
        return JSONResponse(shown(item))

    return [
        Route(INSTANCES, create, methods=["POST"]),
        Route(f"{INSTANCES}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
        Route(f"{INSTANCES}/{{id}}/upgrade", upgrade, methods=["POST"]),
    ]


def _refuse_weak(password: str) -> None:
    """The rules of the provider's page on ``scaleway_rdb_user`` (2026-08-21); the refusal is not recorded."""
    rules = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]", "^.{8,128}$")
    if not all(re.search(rule, password) for rule in rules):
        detail = {"argument_name": "password", "reason": "constraint", "help_message": "too weak"}
        problem = {"type": "invalid_arguments", "message": "invalid argument(s)"}
        raise ApiError(400, {**problem, "details": [detail]})


def _made(body: Item, region: str) -> Item:
    _refuse_weak(body["password"])
    kind = body["volume_type"]
    return {
        "id": new_id(),
        "name": body["name"],
        "engine": body["engine"],
        "node_type": body["node_type"],
        "project_id": body["project_id"],
        "organization_id": body["project_id"],
        "region": region,
        "status": "provisioning",
        "tags": body.get("tags") or [],
        "created_at": now(),
        "endpoint": None,
        "is_ha_cluster": body["is_ha_cluster"],
        "backup_same_region": body["backup_same_region"],
        "backup_schedule": {
            "disabled": body["disable_backup"],
            "frequency": 24,
            "retention": 7,
            "next_run_at": None,
        },
        "encryption": body.get("encryption"),
        "endpoints": [],
        "init_settings": [],
        "maintenances": [],
        "logs_policy": {"max_age_retention": 30, "total_disk_retention": None},
        "read_replicas": [],
        "settings": [],
        "upgradable_version": [],
        "volume": {"class": "sbs", "size": body.get("volume_size"), "type": kind},
        "_users": [{"name": body["user_name"], "is_admin": True}],
        "_databases": [],
        "_privileges": [],
    }


def _endpoint(cloud: Cloud, instance: Item, spec: Item) -> Item:
    if "private_network" not in spec:
        return {"id": new_id(), "ip": "51.158.56.63", "load_balancer": {}, "name": None, "port": 19592}
    network = spec["private_network"]["private_network_id"]
    where = address(cloud, network, "rdb_instance", instance["id"], 2)["address"]
    inside = {"private_network_id": network, "service_ip": where, "zone": f"{instance['region']}-1"}
    return {
        "id": new_id(),
        "ip": where.split("/")[0],
        "name": None,
        "port": 5432,
        "private_network": {**inside, "provisioning_mode": "ipam"},
    }


def _change(item: Item, body: Item) -> None:
    names = {
        "backup_schedule_frequency": "frequency",
        "backup_schedule_retention": "retention",
        "is_backup_schedule_disabled": "disabled",
    }
    for key, value in body.items():
        if key in names:
            item["backup_schedule"][names[key]] = value
        elif value is not None:
            item[key] = value


def _users(cloud: Cloud) -> list[Route]:
    async def users(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        if request.method == "GET":
            wanted = request.query_params.get("name")
            return _rows("users", [u for u in instance["_users"] if wanted in (None, u["name"])])
        body = await request.json()
        _refuse_weak(body["password"])
        item = {"name": body["name"], "is_admin": body.get("is_admin", False)}
        instance["_users"].append(item)
        return JSONResponse(item)

    async def one(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        name = request.path_params["name"]
        if request.method == "PATCH":
            body = await request.json()
            if "password" in body:
                _refuse_weak(body["password"])
            return JSONResponse({"name": name, **{k: v for k, v in body.items() if k != "password"}})
        if any(row["user_name"] == name for row in instance["_privileges"]):
            message = "user cannot be dropped because some objects or privileges depend on it"
            raise ApiError(400, {"type": "invalid_arguments", "message": message})
        instance["_users"] = [user for user in instance["_users"] if user["name"] != name]
        return Response(status_code=204)

    return [
        Route(f"{INSTANCES}/{{id}}/users", users, methods=["GET", "POST"]),
        Route(f"{INSTANCES}/{{id}}/users/{{name}}", one, methods=["PATCH", "DELETE"]),
    ]


def _databases(cloud: Cloud) -> list[Route]:
    async def databases(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        if request.method == "GET":
            wanted = request.query_params.get("name")
            return _rows("databases", [d for d in instance["_databases"] if wanted in (None, d["name"])])
        item = {
            "name": (await request.json())["name"],
            "managed": True,
            "owner": "_rdb_superadmin",
            "size": 0,
        }
        instance["_databases"].append(item)
        return JSONResponse(item)

    async def one(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        name = request.path_params["name"]
        instance["_databases"] = [row for row in instance["_databases"] if row["name"] != name]
        return Response(status_code=204)

    return [
        Route(f"{INSTANCES}/{{id}}/databases", databases, methods=["GET", "POST"]),
        Route(f"{INSTANCES}/{{id}}/databases/{{name}}", one, methods=["DELETE"]),
    ]


def _privileges(cloud: Cloud) -> list[Route]:
    async def privileges(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        if request.method == "GET":
            user = request.query_params.get("user_name")
            return _rows("privileges", [p for p in instance["_privileges"] if user in (None, p["user_name"])])
        body = await request.json()
        others = [p for p in instance["_privileges"] if p["user_name"] != body["user_name"]]
        instance["_privileges"] = others if body["permission"] == "none" else [*others, body]
        return JSONResponse(body)

    return [Route(f"{INSTANCES}/{{id}}/privileges", privileges, methods=["GET", "PUT"])]


def snapshot(instance: Item, name: str, created: str = "") -> Item:
    """As recorded on 2025-04-24: size and ``updated_at`` come when it is ready; it expires after a year."""
    made = created or now()
    return {
        "id": new_id(),
        "name": name,
        "instance_id": instance["id"],
        "instance_name": instance["name"],
        "node_type": instance["node_type"].lower(),
        "_project": instance["project_id"],
        "region": instance["region"],
        "size": None,
        "status": "creating",
        "created_at": made,
        "updated_at": None,
        "expires_at": f"{int(made[:4]) + 1}{made[4:]}",
        "volume_type": {"class": "sbs", "type": "sbs_5k"},
    }


def _snapshots(cloud: Cloud) -> list[Route]:
    """They stay when their instance goes."""

    async def create(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        item = cloud.add("snapshot", snapshot(instance, (await request.json())["name"]))
        size = instance["volume"]["size"]
        cloud.later(item["id"], {"status": "ready", "size": size, "updated_at": now()})
        return JSONResponse(shown(item))

    async def one(request: Request) -> Response:
        item = cloud.get("snapshot", request.path_params["id"])
        if request.method == "DELETE":  # the SDK for Go: DeleteSnapshot answers with the snapshot
            cloud.remove("snapshot", item["id"])
        return JSONResponse(shown(item))

    return [
        Route(f"{INSTANCES}/{{id}}/snapshots", create, methods=["POST"]),
        Route(f"{SNAPSHOTS}/{{id}}", one, methods=["GET", "DELETE"]),
    ]


def _rest(cloud: Cloud) -> list[Route]:
    async def certificate(request: Request) -> Response:
        instance = cloud.get("instance", request.path_params["id"])
        text = instance.get("_certificate", cloud.database_authority)
        content = base64.b64encode(text.encode()).decode()
        return JSONResponse(
            {"name": "ssl_certificate", "content_type": "application/x-pem-file", "content": content}
        )

    async def renew(request: Request) -> Response:
        """Recorded on 2025-12-09: no content, and another certificate at once.

        Here it is the same one after a line of text, which readers of PEM skip.
        """
        instance = cloud.get("instance", request.path_params["id"])
        instance["_certificate"] = f"renewed at {now()}\n{cloud.database_authority}"
        return Response(status_code=204)

    async def engines(request: Request) -> Response:
        row = {"name": "PostgreSQL", "logo_url": "", "region": request.path_params["region"]}
        return _rows("engines", [{**row, "versions": [ENGINE]}])

    async def node_types(request: Request) -> Response:
        rows = [
            {"name": name, "stock_status": "out_of_stock" if name in cloud.sold_out else "available",
             "disabled": False, "beta": False, "region": request.path_params["region"]}
            for name in NODE_TYPES
        ]  # fmt: skip
        return _rows("node_types", rows)

    async def settings(request: Request) -> Response:
        cloud.get("instance", request.path_params["id"])["settings"] = (await request.json())["settings"]
        return JSONResponse({"settings": []})

    return [
        Route(f"{INSTANCES}/{{id}}/certificate", certificate, methods=["GET"]),
        Route(f"{INSTANCES}/{{id}}/renew-certificate", renew, methods=["POST"]),
        Route(f"{INSTANCES}/{{id}}/settings", settings, methods=["PUT"]),
        Route("/rdb/v1/regions/{region}/node-types", node_types, methods=["GET"]),
        Route("/rdb/v1/regions/{region}/database-engines", engines, methods=["GET"]),
    ]


def _rows(name: str, rows: list[Any]) -> Response:
    return JSONResponse({name: rows, "total_count": len(rows)})
