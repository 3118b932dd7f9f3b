"""Hosts the components for stacks in other languages: Pulumi runs this folder, by ``PulumiPlugin.yaml``."""

from importlib.metadata import version

from pulumi.provider.experimental import component_provider_host

from labelspace.provider import COMPONENTS

if __name__ == "__main__":
    component_provider_host(COMPONENTS, "labelspace", version=version("labelspace"))
