"""Tables with the names and columns of CVAT's organizations and of allauth's e-mail addresses."""

from django.conf import settings
from django.db import models


class EmailAddress(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    email = models.EmailField()
    verified = models.BooleanField(default=False)
    primary = models.BooleanField(default=False)

    class Meta:
        db_table = "account_emailaddress"
        unique_together = [("user", "email")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "primary"], condition=models.Q(primary=True), name="unique_primary_email"
            )
        ]


class Organization(models.Model):
    slug = models.SlugField(max_length=16, unique=True)
    name = models.CharField(max_length=64, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)


class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    is_active = models.BooleanField(default=False)
    role = models.CharField(max_length=16)

    class Meta:
        unique_together = [("user", "organization")]


class Invitation(models.Model):
    key = models.CharField(max_length=64, primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    membership = models.OneToOneField(Membership, on_delete=models.CASCADE)
