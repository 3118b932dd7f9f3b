"""What CVAT knows of each user's answer to its banner."""

from django.conf import settings
from django.db import models


class UserGrowthData(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    github_prompt_allowed = models.BooleanField(default=True)
