"""The network of a workspace: private network, public address, firewall, host name."""

from __future__ import annotations

import pulumi
import pulumiverse_scaleway as scaleway

from labelspace.targets.scaleway import host_name
from labelspace.targets.scaleway.context import ScalewayContext

PUBLIC_PORTS = (80, 443)
SSH_PORT = 22


class Network(pulumi.ComponentResource):
    """A public address that outlives servers, a firewall, and a private network for a managed database."""

    private: scaleway.network.PrivateNetwork | None
    """Joins the server and its managed database; None for a database on the server."""

    def __init__(
        self, name: str, *, context: ScalewayContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("labelspace:scaleway:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.private = None if context.spec.database == "server" else self._private(name, context)
        self.address = scaleway.instance.Ip(
            f"{name}-address",
            type="routed_ipv4",
            zone=context.zone,
            tags=context.tags,
            opts=child,
            project_id=context.project,
        )
        self.firewall = scaleway.instance.SecurityGroup(
            f"{name}-firewall",
            name=context.named(),
            inbound_default_policy="drop",
            outbound_default_policy="accept",
            stateful=True,
            enable_default_security=True,
            inbound_rules=_rules(context),
            zone=context.zone,
            tags=context.tags,
            project_id=context.project,
            opts=child,
        )
        self.host = self._host(name, context)
        self.register_outputs({"address": self.address.address, "host": self.host})

    def _private(self, name: str, context: ScalewayContext) -> scaleway.network.PrivateNetwork:
        """A private network in a VPC of the workspace's own.

        Networks of one VPC may not overlap, and a VPC routes between them: in a shared one, a workspace's
        containers would reach the databases of the others.
        """
        child = pulumi.ResourceOptions(parent=self)
        vpc = scaleway.network.Vpc(
            f"{name}-vpc",
            name=context.named(),
            region=context.region,
            tags=context.tags,
            project_id=context.project,
            opts=child,
        )
        cidr = context.spec.subnet_cidr
        return scaleway.network.PrivateNetwork(
            f"{name}-network",
            name=context.named(),
            vpc_id=vpc.id,
            ipv4_subnet=scaleway.network.PrivateNetworkIpv4SubnetArgs(subnet=cidr) if cidr else None,
            region=context.region,
            tags=context.tags,
            project_id=context.project,
            opts=child,
        )

    def _host(self, name: str, context: ScalewayContext) -> pulumi.Output[str]:
        """The configured domain, else the trial's name, which follows the address."""
        domain, zone = context.spec.domain, context.spec.dns_zone
        if domain is None:
            return self.address.address.apply(host_name.trial)
        if zone is not None:
            scaleway.domain.Record(
                f"{name}-record",
                dns_zone=zone,
                name=domain.removesuffix(zone).rstrip("."),
                type="A",
                data=self.address.address,
                ttl=300,
                project_id=context.account,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return pulumi.Output.from_input(domain)


def _rules(context: ScalewayContext) -> list[scaleway.instance.SecurityGroupInboundRuleArgs]:
    rule = scaleway.instance.SecurityGroupInboundRuleArgs
    public = [rule(action="accept", protocol="TCP", port=port, ip_range="0.0.0.0/0") for port in PUBLIC_PORTS]
    admins = [
        rule(action="accept", protocol="TCP", port=SSH_PORT, ip_range=cidr) for cidr in context.spec.ssh_cidrs
    ]
    return [*public, *admins]
