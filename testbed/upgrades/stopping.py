"""A migration that a copy takes, and that fails on the workspace itself, after it changed something."""

import os

from django.db import migrations, models


def fail(*_):
    if "LABELSPACE_CVAT" in os.environ:
        raise ValueError("the real database is another one")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("engine", "0107_remove_annotationguide_is_public")]
    operations = [
        migrations.AddField("Task", "difficulty", models.IntegerField(default=0)),
        migrations.RunPython(fail, migrations.RunPython.noop),
    ]
