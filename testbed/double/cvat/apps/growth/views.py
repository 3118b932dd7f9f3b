"""GET /api/growth: whether the user is asked for a star."""

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view(["GET"])
def growth(request):
    shown = import_string(settings.GITHUB_STAR_PROMPT_POLICY).shown
    row = {"user": request.user.id, "github_prompt_enabled": shown}
    return Response({"count": 1, "next": None, "previous": None, "results": [row]})
