"""The host name of a workspace's URL: a domain, or a name for a trial when that is asked for."""

from __future__ import annotations

from labelspace.spec import ScalewaySpec, SpecError


def check(spec: ScalewaySpec) -> None:
    """Raise ``SpecError`` when the settings have neither a domain nor ``trial_hostname``."""
    if spec.scaleway.domain or spec.scaleway.trial_hostname:
        return
    raise SpecError(
        [
            "scaleway.domain: missing: give a host name of yours, such as labels.example.org, whose A record"
            " will lead to the workspace's address (--set scaleway.domain=NAME); or for a trial"
            " --set scaleway.trial_hostname=true: a name under sslip.io, whose certificate can fail because"
            " all names there share one weekly limit of Let's Encrypt"
        ]
    )


def trial(address: str) -> str:
    """Return the name under sslip.io that resolves to an IPv4 address."""
    return f"{address.replace('.', '-')}.sslip.io"
