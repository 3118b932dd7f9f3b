"""Login, logout, sign-up, password change, users."""

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model, login, logout, password_validation
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseBadRequest
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from rest_framework.authtoken.models import Token
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from cvat.apps.engine import rows
from cvat.apps.engine.access import DENIED, is_admin
from cvat.apps.engine.lists import listed
from cvat.apps.organizations import mails

User = get_user_model()


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
    if mails.must_confirm(user):
        mails.send_confirmation(request, user)
        return HttpResponseBadRequest("Unverified email")
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
            raise PermissionDenied(DENIED) if request.user.is_authenticated else NotAuthenticated
    data = request.data
    _check_sign_up(data)
    user = User.objects.create_user(
        data["username"],
        data.get("email", ""),
        data["password1"],
        first_name=data.get("first_name", ""),
        last_name=data.get("last_name", ""),
    )
    waits = mails.must_confirm(user)
    if waits:
        mails.send_confirmation(request, user)
    else:
        login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")
    fields = ("username", "email", "first_name", "last_name")
    answer = {field: getattr(user, field) for field in fields}
    return Response({**answer, "email_verification_required": waits}, 201)


def _check_sign_up(data):
    name = data.get("username", "")
    if not 5 <= len(name) <= 150:
        raise Refused({"username": ["Use 5 to 150 characters."]})
    if User.objects.filter(username=name).exists():
        raise Refused({"username": ["A user with that username already exists."]})
    if data.get("password1") != data.get("password2"):
        raise Refused({"password2": ["The two password fields didn't match."]})
    check_password(data.get("password1", ""), User(username=name, email=data.get("email", "")), "password1")


def check_password(password, user, field):
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise Refused({field: error.messages}) from None


@api_view(["POST"])
def password_change(request):
    data = request.data
    if not request.user.check_password(data.get("old_password", "")):
        raise Refused({"old_password": ["Your old password was entered incorrectly."]})
    if data.get("new_password1") != data.get("new_password2"):
        raise Refused({"new_password2": ["The two password fields didn't match."]})
    check_password(data.get("new_password1", ""), request.user, "new_password2")
    request.user.set_password(data["new_password1"])
    request.user.save()
    return Response({"detail": "New password has been saved."})


@api_view(["GET"])
def myself(request):
    return Response(rows.full_user(request, request.user))


FIELDS = {"id": "id", "username": "username", "first_name": "first_name", "last_name": "last_name"}
FIELDS |= {"is_active": "is_active", "email": "email"}


def _row_for(viewer):
    full = is_admin(viewer)

    def row(request, user):
        return (rows.full_user if full or user == viewer else rows.basic_user)(request, user)

    return row


@api_view(["GET"])
def users(request):
    found = User.objects.all() if is_admin(request.user) else User.objects.filter(id=request.user.id)
    search = ("username", "first_name", "last_name")
    return listed(request, found, _row_for(request.user), fields=FIELDS, search=search)


@api_view(["GET", "PATCH", "DELETE"])
def one_user(request, number):
    if not is_admin(request.user) and request.user.id != number:
        raise PermissionDenied(DENIED)
    user = User.objects.filter(id=number).first()
    if user is None:
        raise Http404
    if request.method == "DELETE":
        user.delete()
        return Response(status=204)
    if request.method == "PATCH":
        _patch(request, user)
    return Response(rows.full_user(request, user))


OWN = ("first_name", "last_name", "email", "username")
RIGHTS = ("is_active", "is_staff", "is_superuser")


def _patch(request, user):
    if not is_admin(request.user) and {*RIGHTS, "groups"} & set(request.data):
        raise PermissionDenied(DENIED)
    for field in (*OWN, *RIGHTS):
        if field in request.data:
            setattr(user, field, request.data[field])
    user.save()
    if "groups" in request.data:
        user.groups.set(Group.objects.filter(name__in=request.data["groups"]))
