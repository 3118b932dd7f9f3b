"""The double's engine."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    name = "cvat.apps.engine"
    label = "engine"
