"""The double has no guides: CVAT's name, and nothing to drop."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]
    operations = []
