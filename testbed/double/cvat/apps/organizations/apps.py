"""Organizations with their invitations, and the confirmed addresses that allauth keeps in CVAT."""

from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "cvat.apps.organizations"
