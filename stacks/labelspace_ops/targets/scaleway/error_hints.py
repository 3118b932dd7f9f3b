"""What to do about what Scaleway refuses in the middle of an update."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec
from labelspace.targets.scaleway.prices import SERVERS, server_type
from labelspace_ops.targets.scaleway.availability import alternatives

AGAIN = "the same command again goes on where it was"
DOCTOR = "`labelspace doctor --target scaleway`"
STEPS = {
    "out of stock": "",
    "quota": f"{DOCTOR} shows the quotas; ask for higher ones in Scaleway's console",
    "permission": f"rights that were given just now take some seconds: {AGAIN}. If it stays so: {DOCTOR}",
    "accessdenied": f"rights that were given just now take some seconds: {AGAIN}. If it stays so: {DOCTOR}",
    "too many requests": f"Scaleway asks for a pause: {AGAIN}",
    "too_many_requests": f"Scaleway asks for a pause: {AGAIN}",
    "eof": f"the connection was lost: {AGAIN}",
    "connection re": f"the connection was lost: {AGAIN}",
}
"""A word of a refusal -> the next step."""


def next_step(said: str, spec: ScalewaySpec) -> str:
    """One sentence for a failed update; that it can be gone on with, where nothing better is known."""
    word = next((word for word in STEPS if word in said.lower()), "")
    if word == "out of stock":
        offers = alternatives(server_type(spec), set(), SERVERS)
        how = f"`labelspace set {spec.name} scaleway.server_type=TYPE`"
        return f"choose another type, such as {offers}: {how}; or {AGAIN}"
    return STEPS.get(word) or AGAIN
