"""A table, and a row for each user that is there."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill(apps, _):
    users = apps.get_model("iam", "User").objects.all()
    rows = apps.get_model("growth", "UserGrowthData").objects
    rows.bulk_create(rows.model(user=user) for user in users)


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            "UserGrowthData",
            [
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
                ("github_prompt_allowed", models.BooleanField(default=True)),
                (
                    "user",
                    models.OneToOneField(
                        to=settings.AUTH_USER_MODEL, on_delete=django.db.models.deletion.CASCADE
                    ),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
