"""CVAT rewrote this migration when it got users of its own: it makes their table in an empty database."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.utils.timezone
from django.db import migrations, models

from cvat.line import has

SAME = {"related_name": "user_set", "related_query_name": "user", "blank": True}
FIELDS = [
    ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False)),
    ("password", models.CharField(max_length=128)),
    ("last_login", models.DateTimeField(blank=True, null=True)),
    ("is_superuser", models.BooleanField(default=False)),
    (
        "username",
        models.CharField(
            max_length=150,
            unique=True,
            validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
        ),
    ),
    ("first_name", models.CharField(blank=True, max_length=150)),
    ("last_name", models.CharField(blank=True, max_length=150)),
    ("email", models.EmailField(blank=True, max_length=254)),
    ("is_staff", models.BooleanField(default=False)),
    ("is_active", models.BooleanField(default=True)),
    ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
    ("groups", models.ManyToManyField(to="auth.group", **SAME)),
    ("user_permissions", models.ManyToManyField(to="auth.permission", **SAME)),
]
OPTIONS = {"db_table": "auth_user", "swappable": "AUTH_USER_MODEL"}
MANAGERS = [("objects", django.contrib.auth.models.UserManager())]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = (
        [migrations.CreateModel("User", FIELDS, options=OPTIONS, managers=MANAGERS)]
        if has("own_user")
        else []
    )
