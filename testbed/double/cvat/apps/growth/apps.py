"""Which annotators are asked for a star: a row for each user, made with the user."""

from django.apps import AppConfig
from django.db.models.signals import post_save


def remember(instance, created, raw=False, **_):
    from cvat.apps.growth.models import UserGrowthData

    if created and not raw:
        UserGrowthData.objects.create(user=instance)


class GrowthConfig(AppConfig):
    name = "cvat.apps.growth"

    def ready(self):
        from django.contrib.auth import get_user_model

        post_save.connect(remember, sender=get_user_model())
