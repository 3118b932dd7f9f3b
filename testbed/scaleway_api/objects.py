"""Buckets and their settings, virtual-host style; requests must be signed."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

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
    name = (found["bucket"] if found else None) or request.url.path.strip("/").partition("/")[0]
    signed = re.search(r"Credential=([^/]+)/", request.headers.get("authorization", ""))
    if not signed:
        return _error(403, "AccessDenied", name)
    bucket = cloud.all("bucket").get(name)
    setting = next((key for key in request.query_params if key in (*KEPT, "acl", "object-lock")), "")
    if request.method == "PUT" and not setting:
        return _create(cloud, name, signed[1].partition("@")[2], bucket)
    if bucket is None:
        return _error(404, "NoSuchBucket", name)
    if bucket["_project"] != signed[1].partition("@")[2]:  # the provider says so of its own children, too
        return _error(403, "AccessDenied", name)
    if setting:
        return await _setting(bucket, setting, request)
    return _whole(cloud, bucket, request)


def _create(cloud: Cloud, name: str, project: str, bucket: Item | None) -> Response:
    if bucket is not None:
        same = bucket["_project"] == project
        return _error(409, "BucketAlreadyOwnedByYou" if same else "BucketAlreadyExists", name)
    cloud.add("bucket", {"id": name, "_project": project, "objects": 0})
    return Response(headers={"Location": f"/{name}"})


async def _setting(bucket: Item, setting: str, request: Request) -> Response:
    if request.method == "PUT":
        bucket[setting] = (await request.body()).decode()
        return Response()
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


def _error(status: int, code: str, resource: str) -> Response:
    message = "The CORS configuration does not exist" if code == "NoSuchCORSConfiguration" else code
    body = f"<Error><Code>{code}</Code><Message>{message}</Message><Resource>/{resource}</Resource></Error>"
    return Response(body, status_code=status, media_type="application/xml")
