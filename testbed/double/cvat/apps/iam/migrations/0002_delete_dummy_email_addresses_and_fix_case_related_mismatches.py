"""Of the double: nothing to mend, CVAT's name for it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("iam", "0001_remove_business_group")]
    operations = []
