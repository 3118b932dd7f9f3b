"""CVAT's own example of settings for mails: addresses must be confirmed, and mails are printed."""

from cvat.settings.production import *

ACCOUNT_EMAIL_VERIFICATION = "mandatory"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
