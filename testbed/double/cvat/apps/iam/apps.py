"""Groups after migration; a new user's group by the settings, a superuser's always."""

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate, post_save


def make_groups(**_):
    from django.contrib.auth.models import Group

    for role in settings.IAM_ROLES:
        Group.objects.get_or_create(name=role)


def join_group(instance, created, raw=False, **_):
    from django.contrib.auth.models import Group

    if raw:
        return
    if instance.is_superuser:
        instance.groups.add(Group.objects.get(name="admin"))
    elif created:
        instance.groups.add(Group.objects.get(name=settings.IAM_DEFAULT_ROLE))


class IamConfig(AppConfig):
    name = "cvat.apps.iam"

    def ready(self):
        from django.contrib.auth import get_user_model

        post_migrate.connect(make_groups, sender=self)
        post_save.connect(join_group, sender=get_user_model())
