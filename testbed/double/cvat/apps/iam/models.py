"""CVAT's own users, since the line that has them; before, the users are Django's, in the same table."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from cvat.line import has

if has("own_user"):

    class User(AbstractUser):
        if has("created_via"):
            created_via = models.CharField(max_length=16, null=True, default=None)

        class Meta(AbstractUser.Meta):
            db_table = "auth_user"
            swappable = "AUTH_USER_MODEL"
