"""Answers to the survey at registration."""

from django.db import migrations, models

TEXT = {"blank": True, "max_length": 255, "null": True}
LIST = {"blank": True, "default": list}


class Migration(migrations.Migration):
    dependencies = [("engine", "0107_remove_annotationguide_is_public")]
    operations = [
        migrations.AddField("Profile", "cvat_usage_reason", models.CharField(**TEXT)),
        migrations.AddField("Profile", "data_types", models.JSONField(**LIST)),
        migrations.AddField("Profile", "discovery_source", models.CharField(**TEXT)),
        migrations.AddField("Profile", "planned_activities", models.JSONField(**LIST)),
        migrations.AddField("Profile", "primary_role", models.CharField(**TEXT)),
    ]
