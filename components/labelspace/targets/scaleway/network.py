"""What surrounds the server: its private network, its address, its firewall, its name."""

from __future__ import annotations

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway.context import ScalewayContext

PUBLIC_PORTS = (80, 443)
SSH_PORT = 22


class Network(pulumi.ComponentResource):
    """A private network for server and database; an address that outlives servers; a firewall."""

    def __init__(
        self, name: str, *, place: ScalewayContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("labelspace:scaleway:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.private = scaleway.network.PrivateNetwork(
            f"{name}-network",
            name=place.named(),
            ipv4_subnet=scaleway.network.PrivateNetworkIpv4SubnetArgs(subnet=place.spec.subnet_cidr),
            region=place.region,
            tags=place.tags,
            project_id=place.project,
            opts=child,
        )
        self.address = scaleway.instance.Ip(
            f"{name}-address",
            type="routed_ipv4",
            zone=place.zone,
            tags=place.tags,
            opts=child,
            project_id=place.project,
        )
        self.firewall = scaleway.instance.SecurityGroup(
            f"{name}-firewall",
            name=place.named(),
            inbound_default_policy="drop",
            outbound_default_policy="accept",
            stateful=True,
            enable_default_security=True,
            inbound_rules=_rules(place),
            zone=place.zone,
            tags=place.tags,
            project_id=place.project,
            opts=child,
        )
        self.host = self._host(name, place)
        self.register_outputs({"address": self.address.address, "host": self.host})

    def _host(self, name: str, place: ScalewayContext) -> pulumi.Output[str]:
        """The configured domain, else a public name that follows the address and survives the server."""
        domain, zone = place.spec.domain, place.spec.dns_zone
        if domain is None:
            return self.address.address.apply(lambda ip: f"{ip.replace('.', '-')}.sslip.io")
        if zone is not None:
            scaleway.domain.Record(
                f"{name}-record",
                dns_zone=zone,
                name=domain.removesuffix(zone).rstrip("."),
                type="A",
                data=self.address.address,
                ttl=300,
                project_id=place.account,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return pulumi.Output.from_input(domain)


def _rules(place: ScalewayContext) -> list[scaleway.instance.SecurityGroupInboundRuleArgs]:
    rule = scaleway.instance.SecurityGroupInboundRuleArgs
    public = [rule(action="accept", protocol="TCP", port=port, ip_range="0.0.0.0/0") for port in PUBLIC_PORTS]
    admins = [
        rule(action="accept", protocol="TCP", port=SSH_PORT, ip_range=cidr) for cidr in place.spec.ssh_cidrs
    ]
    return [*public, *admins]
