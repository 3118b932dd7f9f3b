"""The next step after Scaleway refused a call during an update."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.prices import SERVERS, server_type
from labelspace_ops.targets.scaleway.availability import alternatives

AGAIN = "run the same command again to continue"
DOCTOR = "`labelspace doctor --target scaleway`"
STEPS = {
    "out of stock": "",
    "quota": f"{DOCTOR} shows the quotas; ask for higher ones in Scaleway's console",
    "permission": f"new permissions take some seconds to apply: {AGAIN}. If the error stays: {DOCTOR}",
    "accessdenied": f"new permissions take some seconds to apply: {AGAIN}. If the error stays: {DOCTOR}",
    "too many requests": f"Scaleway limits the rate of calls: {AGAIN}",
    "too_many_requests": f"Scaleway limits the rate of calls: {AGAIN}",
    "eof": f"the connection was lost: {AGAIN}",
    "connection re": f"the connection was lost: {AGAIN}",
}
"""Text in a refusal -> the next step."""


def next_step(error: str, spec: ScalewaySpec) -> str:
    """Return the next step after a failed update; by default, to run the same command again."""
    word = next((word for word in STEPS if word in error.lower()), "")
    if word == "out of stock":
        offers = alternatives(server_type(spec), set(), SERVERS)
        how = f"`labelspace set {spec.name} scaleway.server_type=TYPE`"
        return f"choose another type, such as {offers}: {how}; or {AGAIN}"
    return STEPS.get(word) or AGAIN
