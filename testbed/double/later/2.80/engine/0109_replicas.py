"""Replicas have a new name. CVAT's own migration was not seen; the name of this one is invented."""

from django.db import migrations


def rename(apps, _):
    apps.get_model("engine", "Job").objects.filter(type="consensus_replica").update(type="replica")


class Migration(migrations.Migration):
    dependencies = [("engine", "0108_profile_registration_survey_fields")]
    operations = [
        migrations.RenameField("Task", "consensus_replicas", "initial_replicas"),
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
