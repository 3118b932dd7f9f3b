"""The double's first migration of this app has the name of CVAT's last at 2.73."""

import django.db.models.deletion
from django.db import migrations, models

from cvat.apps.quality_control.columns import COLUMNS


class Migration(migrations.Migration):
    initial = True
    dependencies = [("engine", "0001_initial")]
    operations = [
        migrations.CreateModel(
            "QualitySettings",
            [
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
                ("max_validations_per_job", models.PositiveIntegerField(default=0)),
                (
                    "task",
                    models.OneToOneField(
                        to="engine.task",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quality_settings",
                    ),
                ),
                *((name, field.clone()) for name, field in COLUMNS.items()),
            ],
        )
    ]
