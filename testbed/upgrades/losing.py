"""A migration that succeeds, and loses every project but one."""

from django.db import migrations


def lose(apps, _):
    projects = apps.get_model("engine", "Project").objects
    projects.exclude(pk=projects.order_by("pk").first().pk).delete()


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]
    operations = [migrations.RunPython(lose, migrations.RunPython.noop)]
