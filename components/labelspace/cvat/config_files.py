"""Files of CVAT's containers. Secrets are in files, never in arguments or plain environment variables."""

from __future__ import annotations

import json
from importlib.resources import files as package_files

from labelspace.spec import EmailSpec

SECRETS_SCRIPT = "/etc/cvat/init.d/labelspace.sh"
"""Sourced by the image's entrypoint before it parses arguments (backend_entrypoint.sh, since 2.7.6)."""
START_SCRIPT = "/etc/cvat/init.d/labelspace-start.sh"
EGRESS_SCRIPT = "/etc/cvat/init.d/labelspace-egress.sh"
DATABASE_PASSWORD = "/run/labelspace/database-password"  # noqa: S105 - a path
EMAIL_PASSWORD = "/run/labelspace/email-password"  # noqa: S105 - a path
SETTINGS = "/opt/cvat/settings.py"
"""Where a settings overlay belongs in every supported version of CVAT."""
ADMIN = "/run/labelspace/admin.json"
MIGRATE = "/opt/labelspace/migrate.py"
DJANGO_ONCE = "/opt/labelspace/django_once.py"
READINESS = "/opt/labelspace/readiness.py"
WORKER_CHECK = "/opt/labelspace/workercheck.py"
REDIS_CONF = "/run/labelspace/redis.conf"
KVROCKS_CONF = "/run/labelspace/kvrocks.conf"
CADDYFILE = "/etc/caddy/Caddyfile"


def secrets_script(django_key: str, redis_password: str, cache_password: str) -> str:
    """Exports what CVAT reads from the environment alone; values hold letters and digits only."""
    return (
        f"export DJANGO_SECRET_KEY='{django_key}'\n"
        f"export CVAT_REDIS_INMEM_PASSWORD='{redis_password}'\n"
        f"export CVAT_REDIS_ONDISK_PASSWORD='{cache_password}'\n"
    )


def redis_conf(password: str) -> str:
    """The queues' Redis: it persists to disk, so that a restart loses no job (as in CVAT's compose file)."""
    return (
        "bind * -::*\nport 6379\ndir /data\nsave 60 100\nappendonly yes\n"
        f"maxmemory-policy noeviction\nrequirepass {password}\n"
    )


SHARED_SETTINGS = """\
\"\"\"CVAT's own settings: what differs concerns only the server, which has another file here.\"\"\"
from cvat.settings.production import *  # noqa: F403
"""
"""Settings of migration, workers and readiness check: a changed setting does not recreate these."""


def settings_overlay(
    registration: str,
    default_role: str,
    public_url: str = "",
    *,
    email: EmailSpec | None = None,
    address: str = "",
    turned_off: tuple[str, ...] = (),
) -> str:
    """The server's settings: who may sign up, what a new user may do, which other origin may send forms.

    ``registration``: ``open`` or ``closed``. ``default_role``: CVAT's group of new users. ``public_url``:
    scheme, host and perhaps port. ``address``: the host and port to which links in mails lead.

    ``turned_off``: settings as lines of Python.

    Sources: cvat/settings/base.py, dj-rest-auth's REST_AUTH, Django's CSRF_TRUSTED_ORIGINS.
    """
    base = "email_settings" if email and email.confirm_addresses else "production"
    lines = [
        '"""Settings of this workspace, over CVAT\'s own."""',
        f"from cvat.settings.{base} import *  # noqa: F403",
        f"IAM_DEFAULT_ROLE = {default_role!r}",
    ]
    if registration == "closed":
        admins_only = '{"REGISTER_PERMISSION_CLASSES": ("rest_framework.permissions.IsAdminUser",)}'
        lines.append(f"REST_AUTH = {{**REST_AUTH, **{admins_only}}}  # noqa: F405")
    if public_url:
        lines.append(f"CSRF_TRUSTED_ORIGINS = [{public_url!r}]")
    if email:
        lines += _email_settings(email, address)
    return "\n".join([*lines, *turned_off]) + "\n"


def _email_settings(email: EmailSpec, address: str) -> list[str]:
    """Django's settings for mails; CVAT's module ``email_settings`` only prints them."""
    password = f"open({EMAIL_PASSWORD!r}).read()" if email.password else "''"
    return [
        "EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'",
        f"EMAIL_HOST = {email.host!r}",
        f"EMAIL_PORT = {email.port}",
        f"EMAIL_HOST_USER = {email.user!r}",
        f"EMAIL_HOST_PASSWORD = {password}",
        f"EMAIL_USE_TLS = {email.security == 'starttls'}",
        f"EMAIL_USE_SSL = {email.security == 'tls'}",
        "EMAIL_TIMEOUT = 20",
        f"DEFAULT_FROM_EMAIL = SERVER_EMAIL = {email.from_!r}",
        f"LABELSPACE_ADDRESS = {address!r}  # another address restarts the server, which remembers the site",
    ]


def admin_json(username: str, email: str, password: str, site: str = "") -> str:
    """The admin as the readiness check reads it.

    ``site`` is the host and port for links in mails; empty when CVAT sends none.
    """
    return json.dumps({"username": username, "email": email, "password": password, "site": site})


def container_file(name: str) -> str:
    """The text of a script of this package that runs inside CVAT's image."""
    return package_files("labelspace.cvat").joinpath("container_files", name).read_text()
