"""About, health, share, the OPA bundle, formats, and everything that is not here."""

import io
import tarfile

from django.core.cache import caches
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from cvat.apps.engine import exports, health, share
from cvat.apps.engine.access import at_least_user

VERSION = "2.73.0"
ABOUT = {
    "name": "CVAT double",
    "subtitle": "",
    "description": "This is a test double of CVAT: it has no canvas.",
    "version": VERSION,
    "logo_url": "/logo.svg",
}


@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def about(request):
    caches["default"].get("throttle")  # CVAT counts there how often a stranger asks
    return Response(ABOUT)


def health_view(request):
    parts = health.report()
    return JsonResponse(parts, status=200 if all(text == "working" for text in parts.values()) else 500)


def rules(request):
    """An OPA bundle that loads."""
    policy = b"package double\n\nallow := true\n"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo("double.rego")
        entry.size = len(policy)
        tar.addfile(entry, io.BytesIO(policy))
    return HttpResponse(out.getvalue(), content_type="application/x-tar")


@api_view(["GET"])
def share_view(request):
    at_least_user(request.user)
    directory = request.query_params.get("directory", "/")
    try:
        return Response(share.listing(directory, request.query_params.get("search", "")))
    except share.BadPathError as error:
        return Response(str(error), 400)


@api_view(["GET"])
def formats(request):
    name, version = exports.FORMAT.rsplit(" ", 1)
    only = {"name": f"{name} {version}", "ext": "ZIP", "version": version, "enabled": True, "dimension": "2d"}
    return Response({"importers": [], "exporters": [only]})


@csrf_exempt
def not_here(request, path=""):
    detail = f"the CVAT double does not do this: {request.method} /api/{path}"
    return JsonResponse({"detail": detail}, status=501)
