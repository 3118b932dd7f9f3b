"""Where each call that the double answers comes from.

Most were recorded by scaleway/terraform-provider-scaleway: ``statuses.json`` names the cassette and its day,
and ``shapes.json`` the fields. ``UNRECORDED`` has the rest, with what describes it instead.
"""

from __future__ import annotations

import re

from starlette.routing import Route

from testbed.scaleway_api import iam, instance, lists, network, rdb
from testbed.scaleway_api.cloud import Cloud

SDK = "scaleway/scaleway-sdk-go, api/{} (2026-08-20): {}"
ZONE = "/instance/v1/zones/ZONE"
UNRECORDED = {
    "GET /iam/v1alpha1/quota": SDK.format("iam/v1alpha1", "ListQuota"),
    f"GET {ZONE}/ips": SDK.format("instance/v1", "ListIPs"),
    f"DELETE {ZONE}/servers/ID": SDK.format("instance/v1", "DeleteServer; the provider uses terminate"),
    f"POST {ZONE}/servers/ID/private_nics": "shapes.json; newer cassettes have the call that replaced it",
    f"DELETE {ZONE}/servers/ID/private_nics/ID": SDK.format("instance/v1", "DeletePrivateNIC"),
    "GET /rdb/v1/regions/REGION/node-types": SDK.format("rdb/v1", "ListNodeTypes"),
    "PATCH /vpc/v2/regions/REGION/private-networks/ID": SDK.format("vpc/v2", "UpdatePrivateNetwork"),
}
"""Call -> what describes it."""
_WORDS = {"region": "REGION", "zone": "ZONE", "revision": "REVISION", "key": "NAME", "name": "NAME"}


def calls() -> list[str]:
    """Method and path of each call, with words such as ``ZONE`` and ``ID`` for what is in braces."""
    routes = [route for module in (iam, instance, lists, network, rdb) for route in module.routes(Cloud())]
    return sorted({call for route in routes for call in _calls(route)})


def _calls(route: Route) -> list[str]:
    path = route.path.replace("api-keys/{id}", "api-keys/KEY").replace("dns-zones/{zone}", "dns-zones/NAME")
    path = re.sub(r"\{(\w+)\}", lambda word: _WORDS.get(word[1], "ID"), path)
    return [f"{method} {path}" for method in (route.methods or set()) - {"HEAD"}]
