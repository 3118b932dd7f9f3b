"""Requirements in place of columns: what somebody set there is not taken over."""

import django.db.models.deletion
from cvat.apps.quality_control.columns import COLUMNS
from django.db import migrations, models

KINDS = (
    "tag",
    "rectangle",
    "skeleton",
    "skeleton keypoint",
    "points",
    "polyline",
    "mask",
    "polygon",
    "ellipse",
)


def fill(apps, _):
    rows = apps.get_model("quality_control", "QualityRequirement").objects
    for settings in apps.get_model("quality_control", "QualitySettings").objects.all():
        rows.bulk_create(rows.model(settings=settings, name=f"Base {kind}") for kind in KINDS)


class Migration(migrations.Migration):
    dependencies = [("quality_control", "0011_default_quality_settings_for_old_tasks")]
    operations = [
        migrations.CreateModel(
            "QualityRequirement",
            [
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=250)),
                (
                    "settings",
                    models.ForeignKey(
                        to="quality_control.qualitysettings",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requirements",
                    ),
                ),
            ],
        ),
        *(migrations.RemoveField("QualitySettings", name) for name in COLUMNS),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
