"""Django's own users are in its admin pages by themselves."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from cvat.line import has

if has("own_user"):
    from cvat.apps.iam.models import User

    admin.site.register(User, UserAdmin)
