"""Login, logout, sign-up, password change, users."""

from django.conf import settings
from django.contrib.auth import authenticate, get_user_model, login, logout, password_validation
from django.contrib.auth.models import Group
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseBadRequest
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from rest_framework import serializers
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
NAME_TAKEN = "A user with that username already exists."


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
    asked = SignUp(data=request.data)
    asked.is_valid(raise_exception=True)
    user = asked.save()
    waits = mails.must_confirm(user)
    if waits:
        mails.send_confirmation(request, user)
    else:
        login(request._request, user, backend="django.contrib.auth.backends.ModelBackend")
    fields = ("username", "email", "first_name", "last_name")
    answer = {field: getattr(user, field) for field in fields}
    key = None if waits else Token.objects.get_or_create(user=user)[0].key
    return Response({**answer, "email_verification_required": waits, "key": key}, 201)


class SignUp(serializers.Serializer):
    """As in cvat/apps/iam/serializers.py, RegisterSerializerEx: names and addresses are taken in any case."""

    username = serializers.CharField(min_length=5, max_length=150, validators=[UnicodeUsernameValidator()])
    email = serializers.EmailField(required=False, max_length=254)
    password1 = serializers.CharField(min_length=8, max_length=256, trim_whitespace=False)
    password2 = serializers.CharField(min_length=8, max_length=256, trim_whitespace=False)
    first_name = serializers.CharField(required=False, max_length=150)
    last_name = serializers.CharField(required=False, max_length=150)

    def validate_username(self, name):
        if User.objects.filter(username__iexact=name).exists():
            raise Refused(NAME_TAKEN)
        return name

    def validate(self, data):
        if data["password1"] != data["password2"]:
            raise Refused("The two password fields didn't match.")
        check_password(
            data["password1"], User(username=data["username"], email=data.get("email", "")), "password1"
        )
        return data

    def create(self, data):
        """An account without an address is refused, too, once there is another one without."""
        email = data.get("email", "")
        taken = User.objects.filter(email__iexact=email).first()
        if taken and taken.has_usable_password():
            raise Refused(["A user is already registered with this e-mail address."])
        names = {field: data.get(field, "") for field in ("first_name", "last_name")}
        if not taken:
            return User.objects.create_user(data["username"], email, data["password1"], **names)
        taken.username = data["username"]  # made by an invitation
        taken.set_password(data["password1"])
        taken.save()
        return taken


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


@api_view(["GET"])
def users(request):
    found = User.objects.all() if is_admin(request.user) else User.objects.filter(id=request.user.id)
    search = ("username", "first_name", "last_name")
    row = rows.full_user if is_admin(request.user) else rows.basic_user
    return listed(request, found, row, fields=FIELDS, search=search)


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
    if set(request.data) - {*OWN, *RIGHTS, "groups"}:
        raise PermissionDenied("Attempted to update an unknown field")
    name = request.data.get("username", user.username)
    if User.objects.filter(username=name).exclude(id=user.id).exists():
        raise Refused({"username": [NAME_TAKEN]})
    for group in request.data.get("groups", []):
        if not Group.objects.filter(name=group).exists():
            raise Refused({"groups": [f"Object with name={group} does not exist."]})
    for field in (*OWN, *RIGHTS):
        if field in request.data:
            setattr(user, field, request.data[field])
    user.save()
    if "groups" in request.data:
        user.groups.set(Group.objects.filter(name__in=request.data["groups"]))
