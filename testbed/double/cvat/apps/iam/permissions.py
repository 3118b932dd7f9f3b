"""CVAT asks OPA before it lets anybody do anything; the double asks only whether OPA is there."""

import urllib.request

from django.conf import settings
from rest_framework.permissions import BasePermission


class OpaAnswers(BasePermission):
    """Without OPA a call that needs permission is a 500."""

    def has_permission(self, request, view):
        urllib.request.urlopen(f"{settings.OPA_URL}/health", timeout=3).close()
        return True
