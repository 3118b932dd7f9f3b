"""Settings of quality are made with their task."""

from django.apps import AppConfig
from django.db.models.signals import post_save


def give(instance, created, raw=False, **_):
    from cvat.apps.quality_control.models import QualitySettings

    if created and not raw:
        QualitySettings.objects.create(task=instance)


class QualityControlConfig(AppConfig):
    name = "cvat.apps.quality_control"

    def ready(self):
        from cvat.apps.engine.models import Task

        post_save.connect(give, sender=Task)
