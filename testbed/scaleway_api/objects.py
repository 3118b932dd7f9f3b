"""Buckets and their settings; requests must be signed, IAM and bucket policies are evaluated."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from testbed.scaleway_api import authorization
from testbed.scaleway_api.cloud import Cloud, Item

HOST = re.compile(r"(?:(?P<bucket>[a-z0-9.-]+)\.)?s3\.(?P<region>[a-z-]+)\.scw\.cloud$")
KEPT = ("policy", "lifecycle", "tagging", "versioning", "cors")
ABSENT = {
    "policy": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "tagging": "NoSuchTagSet",
    "cors": "NoSuchCORSConfiguration",
    "object-lock": "ObjectLockConfigurationNotFoundError",
}
ACL = """<AccessControlPolicy><Owner><ID>{0}</ID></Owner><AccessControlList><Grant>
<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>{0}</ID></Grantee>
<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>"""


async def answer(cloud: Cloud, request: Request) -> Response:
    """One S3 call on a bucket."""
    found = HOST.fullmatch(request.headers["host"].split(":")[0])
    signed = re.search(r"Credential=([^/@]+)@?([^/]*)/", request.headers.get("authorization", ""))
    caller = authorization.by_key(cloud, signed[1]) if signed else None
    path = request.url.path.strip("/")
    name, key = (found["bucket"], path) if found and found["bucket"] else path.partition("/")[::2]
    if signed is None or caller is None:
        return _error(403, "InvalidAccessKeyId" if signed else "AccessDenied", name)
    bucket = cloud.all("bucket").get(name)
    setting = next((key for key in request.query_params if key in (*KEPT, "acl", "object-lock")), "")
    action, project = _action(request.method, setting, key), signed[2]
    is_new = action == "s3:CreateBucket"
    if bucket is None and not is_new:
        return _error(404, "NoSuchBucket", name)
    ip = request.client.host if request.client else ""
    asked = {"id": name, "_project": project} if is_new or bucket is None else bucket
    is_allowed = authorization.may_use_bucket(cloud, caller, asked, action, key=key, ip=ip)
    if asked["_project"] != project or not is_allowed:
        return _error(403, "AccessDenied", name)
    if is_new or bucket is None:
        return _create(cloud, name, project, bucket)
    return await _setting(bucket, setting, request) if setting else _whole(cloud, bucket, request)


def _action(method: str, setting: str, key: str) -> str:
    """The action of a call, as ``authorization.SETS`` names it."""
    if key:
        return {"PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}.get(method, "s3:GetObject")
    if setting == "policy":
        return "s3:BucketPolicy"
    if setting:
        return "s3:GetBucketConfiguration" if method == "GET" else "s3:PutBucketConfiguration"
    whole = {"HEAD": "s3:HeadBucket", "PUT": "s3:CreateBucket", "DELETE": "s3:DeleteBucket"}
    return whole.get(method, "s3:ListBucket")


def _create(cloud: Cloud, name: str, project: str, bucket: Item | None) -> Response:
    if bucket is not None:
        same = bucket["_project"] == project
        return _error(409, "BucketAlreadyOwnedByYou" if same else "BucketAlreadyExists", name)
    cloud.add("bucket", {"id": name, "_project": project, "objects": 0})
    return Response(headers={"Location": f"/{name}"})


async def _setting(bucket: Item, setting: str, request: Request) -> Response:
    if request.method == "PUT":
        return _put(bucket, setting, (await request.body()).decode())
    if request.method == "DELETE":
        bucket.pop(setting, None)
        return Response(status_code=204)
    if setting == "acl":
        return _xml(ACL.format(f"{bucket['_project']}:{bucket['_project']}"))
    if setting in bucket:
        return Response(bucket[setting]) if setting == "policy" else _xml(bucket[setting])
    if setting == "versioning":
        return _xml("<VersioningConfiguration/>")
    return _error(404, ABSENT[setting], bucket["id"])


def _put(bucket: Item, setting: str, text: str) -> Response:
    problem = authorization.policy_problem(bucket["id"], text) if setting == "policy" else ""
    if problem:
        return _error(400, "MalformedPolicy", bucket["id"], problem)
    bucket[setting] = text
    return Response()


def _whole(cloud: Cloud, bucket: Item, request: Request) -> Response:
    if request.method == "DELETE":
        if bucket["objects"]:
            return _error(409, "BucketNotEmpty", bucket["id"])
        cloud.remove("bucket", bucket["id"])
        return Response(status_code=204)
    return _listed(bucket, request.query_params.get("prefix", "")) if request.method == "GET" else Response()


def _listed(bucket: Item, prefix: str) -> Response:
    """The objects that a test put there by their names."""
    keys = sorted(key for key in bucket.get("_keys", []) if key.startswith(prefix))
    rows = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
    name, count = f"<Name>{bucket['id']}</Name>", f"<KeyCount>{len(keys)}</KeyCount>"
    return _xml(f"<ListBucketResult>{name}{count}{rows}</ListBucketResult>")


def _xml(text: str) -> Response:
    return Response(text, media_type="application/xml")


def _error(status: int, code: str, resource: str, detail: str = "") -> Response:
    message = "The CORS configuration does not exist" if code == "NoSuchCORSConfiguration" else detail or code
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>/{resource}</Resource></Error>"
    return Response(body, status_code=status, media_type="application/xml")
