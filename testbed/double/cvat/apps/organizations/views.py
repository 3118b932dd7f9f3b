"""Resets of passwords, confirmations of addresses, organizations, invitations."""

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.http import HttpResponseRedirect
from django.utils.http import urlsafe_base64_decode
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from cvat.apps.engine.views.people import check_password
from cvat.apps.organizations import mails
from cvat.apps.organizations.models import Invitation, Membership, Organization


@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def password_reset(request):
    mails.send_reset(request, request.data.get("email", ""))
    return Response({"detail": "Password reset e-mail has been sent."})


@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def password_reset_confirm(request):
    data = request.data
    try:
        user = get_user_model().objects.get(pk=urlsafe_base64_decode(data.get("uid", "")).decode())
    except (ValueError, get_user_model().DoesNotExist):
        raise Refused({"uid": ["Invalid value"]}) from None
    if not default_token_generator.check_token(user, data.get("token", "")):
        raise Refused({"token": ["Invalid value"]})
    if data.get("new_password1") != data.get("new_password2"):
        raise Refused({"new_password2": ["The two password fields didn't match."]})
    check_password(data.get("new_password1", ""), user, "new_password2")
    user.set_password(data["new_password1"])
    user.save()
    return Response({"detail": "Password has been reset with the new password."})


def confirm_email(request, key):
    try:
        mails.confirm(key)
    except signing.BadSignature:
        return HttpResponseRedirect("/auth/incorrect-email-confirmation")
    return HttpResponseRedirect("/auth/email-confirmation")


@api_view(["POST"])
def organizations(request):
    slug = request.data.get("slug", "")
    made = Organization.objects.create(slug=slug, name=request.data.get("name", ""), owner=request.user)
    Membership.objects.create(user=request.user, organization=made, is_active=True, role="owner")
    return Response({"id": made.id, "slug": made.slug, "name": made.name}, 201)


@api_view(["POST"])
def invitations(request):
    organization = Organization.objects.filter(slug=request.headers.get("X-Organization", "")).first()
    if organization is None:
        raise Refused(["Organization must be specified"])
    email = request.data.get("email", "")
    user = get_user_model().objects.filter(
        email__iexact=email
    ).first() or get_user_model().objects.create_user(email, email)
    membership = Membership.objects.create(
        user=user, organization=organization, role=request.data.get("role", "worker")
    )
    made = Invitation.objects.create(key=secrets.token_hex(32), owner=request.user, membership=membership)
    mails.send_invitation(request, made)
    return Response({"key": made.key}, 201)
