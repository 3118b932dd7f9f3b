"""The content type of users moves from Django's app to CVAT's, in place: permissions keep their row."""

from django.core.management.base import CommandError
from django.db import migrations


def move(apps, _):
    rows = apps.get_model("contenttypes", "ContentType").objects.filter(model="user")
    old = rows.filter(app_label="auth").first()
    if old and rows.filter(app_label="iam").exists():
        raise CommandError('Cannot re-label the user content type: "auth|user" and "iam|user" are both there')
    if old:
        rows.filter(pk=old.pk).update(app_label="iam")


class Migration(migrations.Migration):
    dependencies = [
        ("iam", "0002_delete_dummy_email_addresses_and_fix_case_related_mismatches"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
