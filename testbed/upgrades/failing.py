"""A migration that fails halfway, when it meets the data."""

from django.db import migrations, models


def fail(apps, _):
    raise ValueError(f"cannot convert {apps.get_model('engine', 'Project').objects.count()} projects")


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]
    operations = [
        migrations.AddField("Task", "difficulty", models.IntegerField(default=0)),
        migrations.RunPython(fail, migrations.RunPython.noop),
    ]
