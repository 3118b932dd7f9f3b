"""Mails as CVAT sends them: through Django's settings, with links to the site of the database or the request.

Sources: cvat/apps/organizations/models.py (``Invitation.send``), cvat/apps/iam/serializers.py, allauth.
"""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sites.shortcuts import get_current_site
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from cvat.apps.organizations.models import EmailAddress


def must_confirm(user):
    """Whether the user may not sign in yet."""
    mandatory = settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory"
    return mandatory and not EmailAddress.objects.filter(user=user, verified=True).exists()


def _site(request):
    return f"{request.scheme}://{get_current_site(request).domain}"


def send_confirmation(request, user):
    address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
    path = reverse("account_confirm_email", args=[signing.dumps(address.pk, salt="account")])
    link = request.build_absolute_uri(path)
    send_mail("Please Confirm Your Email Address", f"Confirm: {link}\n", None, [user.email])


def confirm(key):
    """Mark the address of a link as confirmed; raises ``signing.BadSignature``."""
    EmailAddress.objects.filter(pk=signing.loads(key, salt="account")).update(verified=True, primary=True)


def send_reset(request, email):
    """To every account with the address that has a password; nobody learns whether there is one."""
    for user in get_user_model().objects.filter(email__iexact=email, is_active=True):
        uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
        link = f"{_site(request)}/auth/password/reset/confirm?uid={uid}&token={token}"
        send_mail("Password Reset E-mail", f"Hello {user.username}, set it: {link}\n", None, [user.email])


def send_invitation(request, invitation):
    if settings.EMAIL_BACKEND is None:
        raise ImproperlyConfigured("Email backend is not configured")
    email, organization = invitation.membership.user.email, invitation.membership.organization.slug
    link = f"{_site(request)}/auth/register/invitation?email={email}&key={invitation.key}"
    send_mail(f"Invitation to join {organization}", f"Join {organization}: {link}\n", None, [email])
