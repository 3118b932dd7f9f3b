"""The REST paths of CVAT 2.73 that labelspace calls; the rest is 501."""

import io
import tarfile

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, password_validation
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from redis import Redis
from rest_framework.authtoken.models import Token
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import PermissionDenied
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rq import Queue

from cvat.apps.engine import health, jobs, share
from cvat.apps.engine.models import Label, Project, Task

VERSION = "2.73.0"


def queue(name):
    return Queue(name, connection=Redis.from_url(settings.RQ_URL))


def roles(user):
    return set(user.groups.values_list("name", flat=True))


def at_least_user(user):
    if not (user.is_superuser or roles(user) & {"admin", "user"}):
        raise PermissionDenied("not authorized")


def is_admin(user):
    return user.is_superuser or "admin" in roles(user)


def page(rows):
    return Response({"count": len(rows), "next": None, "previous": None, "results": rows})


@api_view(["GET"])
@authentication_classes([])
@permission_classes([AllowAny])
def about(request):
    text = "This is a test double of CVAT: it has no canvas."
    return Response(
        {
            "name": "CVAT double",
            "subtitle": "",
            "description": text,
            "version": VERSION,
            "logo_url": "/logo.svg",
        }
    )


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
    return HttpResponse(out.getvalue(), content_type="application/gzip")


@csrf_exempt
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def login_view(request):
    name = request.data.get("username") or request.data.get("email") or ""
    found = User.objects.filter(email=name).first() if "@" in name else None
    user = authenticate(
        request, username=found.username if found else name, password=request.data.get("password", "")
    )
    if user is None:
        raise Refused({"non_field_errors": ["Unable to log in with provided credentials."]})
    login(request._request, user)
    return Response({"key": Token.objects.get_or_create(user=user)[0].key})


login_view = ensure_csrf_cookie(login_view)


@api_view(["POST"])
def logout_view(request):
    Token.objects.filter(user=request.user).delete()
    logout(request._request)
    return Response({"detail": "Successfully logged out."})


def _register_permissions():
    names = settings.REST_AUTH.get("REGISTER_PERMISSION_CLASSES", ())
    return [import_string(name)() for name in names]


@api_view(["POST"])
@permission_classes([AllowAny])
def register(request):
    for permission in _register_permissions():
        if not permission.has_permission(request, None):
            raise PermissionDenied("registration is closed")
    data = request.data
    _check_sign_up(data)
    user = User.objects.create_user(data["username"], data.get("email", ""), data["password1"])
    login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")
    return Response(
        {"username": user.username, "email": user.email, "email_verification_required": False}, 201
    )


def _check_sign_up(data):
    name = data.get("username", "")
    if not 5 <= len(name) <= 150:
        raise Refused({"username": ["Use 5 to 150 characters."]})
    if User.objects.filter(username=name).exists():
        raise Refused({"username": ["A user with that username already exists."]})
    if data.get("password1") != data.get("password2"):
        raise Refused({"password2": ["The two password fields didn't match."]})
    _check_password(data.get("password1", ""), User(username=name, email=data.get("email", "")), "password1")


def _check_password(password, user, field):
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Refused({field: error.messages}) from None


@api_view(["POST"])
def password_change(request):
    data = request.data
    if not request.user.check_password(data.get("old_password", "")):
        raise Refused({"old_password": ["Your old password was entered incorrectly."]})
    _check_password(data.get("new_password1", ""), request.user, "new_password2")
    request.user.set_password(data["new_password1"])
    request.user.save()
    return Response({"detail": "New password has been saved."})


def user_row(user):
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "groups": sorted(roles(user)),
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
    }


@api_view(["GET"])
def myself(request):
    return Response(user_row(request.user))


@api_view(["GET"])
def users(request):
    rows = User.objects.order_by("id") if is_admin(request.user) else User.objects.filter(id=request.user.id)
    return page([user_row(user) for user in rows])


@api_view(["GET", "PATCH", "DELETE"])
def one_user(request, number):
    if not is_admin(request.user) and request.user.id != number:
        raise PermissionDenied("not authorized")
    user = User.objects.get(id=number)
    if request.method == "DELETE":
        user.delete()
        return Response(status=204)
    if request.method == "PATCH":
        _patch_user(request, user)
    return Response(user_row(user))


def _patch_user(request, user):
    if not is_admin(request.user):
        raise PermissionDenied("not authorized")
    for field in ("is_active", "is_staff", "is_superuser", "email"):
        if field in request.data:
            setattr(user, field, request.data[field])
    user.save()
    if "groups" in request.data:
        user.groups.set(Group.objects.filter(name__in=request.data["groups"]))


@api_view(["GET"])
def share_view(request):
    at_least_user(request.user)
    try:
        return Response(
            share.listing(request.query_params.get("directory", "/"), request.query_params.get("search", ""))
        )
    except share.BadPathError as error:
        raise Refused([str(error)]) from None


def mine(model, user):
    if is_admin(user):
        return model.objects.order_by("-id")
    return model.objects.filter(Q(owner=user) | Q(assignee=user)).order_by("-id")


def project_row(project):
    return {"id": project.id, "name": project.name, "owner": _short(project.owner)}


def task_row(task):
    return {
        "id": task.id,
        "name": task.name,
        "project_id": task.project_id,
        "owner": _short(task.owner),
        "assignee": _short(task.assignee),
        "size": len(task.files),
        "state": task.state,
        "message": task.message,
    }


def _short(user):
    return {"id": user.id, "username": user.username} if user else None


def _make_labels(rows, **parent):
    for row in rows or []:
        Label.objects.create(name=row["name"], body=row, **parent)


@api_view(["GET", "POST"])
def projects(request):
    if request.method == "GET":
        return page([project_row(project) for project in mine(Project, request.user)])
    at_least_user(request.user)
    project = Project.objects.create(name=request.data["name"], owner=request.user)
    _make_labels(request.data.get("labels"), project=project)
    return Response(project_row(project), 201)


@api_view(["GET", "POST"])
def tasks(request):
    if request.method == "GET":
        return page([task_row(task) for task in mine(Task, request.user)])
    at_least_user(request.user)
    task = Task.objects.create(
        name=request.data["name"], owner=request.user, project_id=request.data.get("project_id")
    )
    _make_labels(request.data.get("labels"), task=task)
    return Response(task_row(task), 201)


@api_view(["GET", "PATCH", "DELETE"])
def one_task(request, number):
    task = mine(Task, request.user).filter(id=number).first()
    if task is None:
        raise PermissionDenied("not authorized")
    if request.method == "DELETE":
        task.delete()
        return Response(status=204)
    if request.method == "PATCH":
        at_least_user(request.user)
        task.assignee_id = request.data.get("assignee_id", task.assignee_id)
        task.name = request.data.get("name", task.name)
        task.save()
        task.refresh_from_db()
    return Response(task_row(task))


def _task_of(request, number):
    task = mine(Task, request.user).filter(id=number).first()
    if task is None:
        raise PermissionDenied("not authorized")
    return task


@api_view(["POST", "GET"])
def task_data(request, number):
    task = _task_of(request, number)
    if request.method == "GET":
        frame = task.files[int(request.query_params.get("number", 0))]
        job = queue("chunks").enqueue(jobs.read_frame, frame["name"], result_ttl=60)
        latest = job.latest_result(timeout=50)
        if latest is None:
            return Response({"detail": "the frame is not ready"}, 429)
        return HttpResponse(latest.return_value, content_type="image/jpeg")
    try:
        files = share.checked(request.data.get("server_files", []))
    except share.BadPathError as error:
        raise Refused([str(error)]) from None
    job = queue("import").enqueue(jobs.create_task, task.id, files)
    return Response({"rq_id": job.id}, 202)


@api_view(["GET", "PUT"])
def task_annotations(request, number):
    task = _task_of(request, number)
    if request.method == "PUT":
        task.annotations = request.data
        task.save()
    return Response({"version": 0, "tags": [], "shapes": [], "tracks": [], **task.annotations})


@api_view(["GET"])
def labels(request):
    wanted = Label.objects.all()
    for key in ("project_id", "task_id"):
        if key in request.query_params:
            wanted = wanted.filter(**{key: request.query_params[key]})
    return page([{**label.body, "id": label.id} for label in wanted.order_by("id")])


@csrf_exempt
def not_here(request, path=""):
    return JsonResponse({"detail": f"the CVAT double does not implement /api/{path}"}, status=501)
