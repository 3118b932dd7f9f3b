"""A migration that drops a column which no line of CVAT names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("engine", "0107_remove_annotationguide_is_public")]
    operations = [migrations.RemoveField("Task", "bug_tracker")]
