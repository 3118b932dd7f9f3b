"""IAM, projects and Secret Manager."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from testbed.scaleway_api import authorization
from testbed.scaleway_api.cloud import ApiError, Cloud, Item, access_key, new_id, now, shown

PROJECTS = "/account/v3/projects"
SECRETS = "/secret-manager/v1beta1/regions/{region}/secrets"


def routes(cloud: Cloud) -> list[Route]:
    return [
        *_simple(cloud),
        *_rules(cloud),
        *_keys(cloud),
        *_projects(cloud),
        *_secrets(cloud),
        *_versions(cloud),
    ]


def _stamp(body: Item) -> Item:
    return {
        "id": new_id(),
        "description": "",
        **body,
        "tags": body.get("tags") or [],
        "created_at": now(),
        "updated_at": now(),
    }


def _rule(body: Item) -> Item:
    """As recorded on 2026-06-12."""
    scope = "organization" if body.get("organization_id") else "projects"
    return {"condition": "", **body, "id": new_id(), "permission_sets_scope_type": scope}


def _counts(rules: list[Item]) -> Item:
    sets = sum(len(rule["permission_set_names"]) for rule in rules)
    return {"nb_rules": len(rules), "nb_scopes": len(rules), "nb_permission_sets": sets}


def _simple(cloud: Cloud) -> list[Route]:
    """Applications and policies: made, read, changed, removed."""
    found = []
    for path, kind in (("applications", "application"), ("policies", "policy")):

        async def create(request: Request, kind: str = kind) -> Response:
            body = await request.json()
            rules = [_rule(rule) for rule in body.pop("rules", None) or []]
            authorization.check_rules(rules)
            counts = {"nb_api_keys": 0} if kind == "application" else _counts(rules)
            flags = {"editable": True, "deletable": True, "managed": False, **counts}
            return JSONResponse(shown(cloud.add(kind, {**_stamp(body), **flags, "_rules": rules})))

        async def one(request: Request, kind: str = kind) -> Response:
            identity = request.path_params["id"]
            item = cloud.get(kind, identity)
            if request.method == "DELETE":
                cloud.remove(kind, identity)
                return Response(status_code=204)
            if request.method == "PATCH":
                item.update(await request.json())
            return JSONResponse(shown(item))

        found += [
            Route(f"/iam/v1alpha1/{path}", create, methods=["POST"]),
            Route(f"/iam/v1alpha1/{path}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
        ]
    return found


def _rules(cloud: Cloud) -> list[Route]:
    async def rules(request: Request) -> Response:
        if request.method == "PUT":
            body = await request.json()
            policy = cloud.get("policy", body["policy_id"])
            authorization.check_rules(body["rules"])
            policy["_rules"] = [_rule(rule) for rule in body["rules"]]
        else:
            policy = cloud.get("policy", request.query_params["policy_id"])
        return JSONResponse({"rules": policy["_rules"], "total_count": len(policy["_rules"])})

    async def user(request: Request) -> Response:
        return JSONResponse(cloud.get("user", request.path_params["id"]))

    return [
        Route("/iam/v1alpha1/rules", rules, methods=["GET", "PUT"]),
        Route("/iam/v1alpha1/users/{id}", user, methods=["GET"]),
    ]


def _keys(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        cloud.get("application", body["application_id"])
        flags = {"editable": True, "deletable": True, "managed": False, "creation_ip": "127.0.0.1"}
        times = {"created_at": now(), "updated_at": now(), "expires_at": body.get("expires_at")}
        secret = new_id()
        of = {"default_project_id": body.get("default_project_id") or body["application_id"]}
        item = {**body, **of, **flags, **times, "access_key": access_key(), "secret_key": None}
        cloud.add("access_key", {**item, "_secret_key": secret}, "access_key")
        return JSONResponse({**item, "secret_key": secret})

    async def one(request: Request) -> Response:
        identity = request.path_params["id"]
        item = cloud.get("access_key", identity)
        if request.method == "DELETE":
            cloud.remove("access_key", identity)
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update(await request.json())
        return JSONResponse(shown(item))

    return [
        Route("/iam/v1alpha1/api-keys", create, methods=["POST"]),
        Route("/iam/v1alpha1/api-keys/{id}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


QUOTA_OF_PROJECTS = 25
"""Scaleway's documentation of 2024-10."""


def _projects(cloud: Cloud) -> list[Route]:
    """Shapes as recorded on 2026-06-08; only an empty one can be deleted."""

    async def create(request: Request) -> Response:
        body = await request.json()
        if len(cloud.all("project")) >= QUOTA_OF_PROJECTS:
            details = [{"resource": "projects", "quota": QUOTA_OF_PROJECTS, "current": QUOTA_OF_PROJECTS}]
            raise ApiError(403, {"type": "quotas_exceeded", "message": "quotas exceeded", "details": details})
        times = {"created_at": now(), "updated_at": now()}
        item = {"description": "", **body, "id": new_id(), **times}
        return JSONResponse(cloud.add("project", item))

    async def one(request: Request) -> Response:
        identity = request.path_params["id"]
        item = cloud.get("project", identity)
        if request.method == "DELETE":
            if cloud.of_project(identity):
                raise ApiError(412, {"type": "precondition_failed", "precondition": "resource_still_in_use"})
            cloud.remove("project", identity)
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update(await request.json())
        return JSONResponse(item)

    return [
        Route(PROJECTS, create, methods=["POST"]),
        Route(f"{PROJECTS}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _secrets(cloud: Cloud) -> list[Route]:
    async def create(request: Request) -> Response:
        body = await request.json()
        rest: Item = {
            "status": "ready",
            "version_count": 0,
            "description": body.get("description") or "",
            "managed": False,
            "used_by": [],
        }
        rest |= {
            "protected": body.get("protected", False),
            "path": body.get("path") or "/",
            "deletion_requested_at": None,
        }
        item = {**_stamp(body), **rest, "ephemeral_policy": None, "key_id": None, "_versions": []}
        return JSONResponse(shown(cloud.add("secret", {**item, "region": request.path_params["region"]})))

    async def one(request: Request) -> Response:
        identity = request.path_params["id"]
        item = cloud.get("secret", identity)
        if request.method == "DELETE":
            if item["protected"]:  # recorded on 2026-07-03
                problem = {"type": "precondition_failed", "precondition": "protected_resource"}
                raise ApiError(412, {**problem, "help_message": "cannot delete a protected secret"})
            cloud.remove("secret", identity)
            return Response(status_code=204)
        if request.method == "PATCH":
            item.update(await request.json())
        return JSONResponse(shown(item))

    return [
        Route(SECRETS, create, methods=["POST"]),
        Route(f"{SECRETS}/{{id}}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _versions(cloud: Cloud) -> list[Route]:
    async def versions(request: Request) -> Response:
        secret = cloud.get("secret", request.path_params["id"])
        if request.method == "GET":
            rows = [shown(one) for one in secret["_versions"]]
            return JSONResponse({"versions": rows, "total_count": len(rows)})
        body = await request.json()
        item = {
            "revision": len(secret["_versions"]) + 1,
            "secret_id": secret["id"],
            "status": "enabled",
            "created_at": now(),
            "updated_at": now(),
            "description": body.get("description") or "",
            "latest": True,
            "deleted_at": None,
            "deletion_requested_at": None,
            "ephemeral_properties": None,
            "region": secret["region"],
            "_data": body["data"],
        }
        secret["_versions"].append(item)
        secret["version_count"] = len(secret["_versions"])
        return JSONResponse(shown(item))

    async def one(request: Request) -> Response:
        secret = cloud.get("secret", request.path_params["id"])
        revision = request.path_params["revision"]
        wanted = [v for v in secret["_versions"] if revision in (str(v["revision"]), "latest")]
        if not wanted:
            return JSONResponse({"type": "not_found", "resource": "version", "resource_id": revision}, 404)
        if request.method == "DELETE":
            secret["_versions"].remove(wanted[-1])
            return Response(status_code=204)
        return JSONResponse(shown(wanted[-1]))

    async def access(request: Request) -> Response:
        secret = cloud.get("secret", request.path_params["id"])
        caller = authorization.by_token(cloud, request.headers["x-auth-token"])
        if caller and not _may_read(cloud, caller, secret, request):
            raise ApiError(403, {"type": "denied_authorization", "message": "denied", "reason": "unknown"})
        item = secret["_versions"][-1]
        answer = {"secret_id": secret["id"], "revision": item["revision"], "data": item["_data"]}
        return JSONResponse({**answer, "data_crc32": None, "type": "opaque"})

    return [
        Route(f"{SECRETS}/{{id}}/versions", versions, methods=["GET", "POST"]),
        Route(f"{SECRETS}/{{id}}/versions/{{revision}}", one, methods=["GET", "DELETE"]),
        Route(f"{SECRETS}/{{id}}/versions/{{revision}}/access", access, methods=["GET"]),
    ]


def _may_read(cloud: Cloud, caller: authorization.Caller, secret: Item, request: Request) -> bool:
    ip = request.client.host if request.client else ""
    sets = authorization.granted(cloud, caller, secret["project_id"], ip=ip, resource=secret["id"])
    return "SecretManagerSecretAccess" in sets


def grant(cloud: Cloud, application: str, *sets: str, project: str = "") -> Item:
    """Give an application permission sets, in a project or in all of them; as recorded on 2026-06-12."""
    scope: Item = {"project_ids": [project]} if project else {"organization_id": application}
    rule = {"id": new_id(), "permission_set_names": list(sets), "condition": "", **scope}
    policy = {**_stamp({"name": "deployer", "application_id": application}), "nb_rules": 1}
    return cloud.add("policy", {**policy, "_rules": [rule]})


def limit(cloud: Cloud, kind: str, *limits: Item) -> Item:
    """The quota of a type of Instances, in the SDK's shape, under the name that recorded refusals have."""
    name = f"cp_servers_type_{kind.replace('-', '_')}"
    item = {"name": name, "pretty_name": kind, "unit": "", "description": "", "locality_type": "zone"}
    return cloud.add("quotum", {**item, "limits": list(limits)}, "name")
