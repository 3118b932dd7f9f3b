"""The readiness check: exits with 0 when the workspace is ready, with its admin made as configured.

Runs once in CVAT's own image. Each step prints one line, which the update shows. A step
that does not succeed in time prints its last reason, and the script exits with 1.
"""

import functools
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from http.cookiejar import CookieJar

import migrate

PROXY = "http://cvat-proxy:8080"
QUEUES = os.environ["LABELSPACE_QUEUES"].split(",")
ADMIN_FILE = os.environ["LABELSPACE_ADMIN"]
STYLE = "/static/admin/css/base.css"
PASSED = "labelspace:readiness"
"""In Redis, which a restore empties: the host name of the container that passed; a new one has another."""
MADE = "/home/django/logs/labelspace-admin"
"""A file that the first successful check leaves: then the admin is probably as configured."""
ARCHIVED = os.environ.get("LABELSPACE_ARCHIVED", "")
"""A file in the database's container that shows a working archive; empty: no archive to wait for."""
PATIENCE = float(os.environ["LABELSPACE_TIMEOUT"])
REQUIRED = set(os.environ["LABELSPACE_HEALTH"].split(","))
"""The parts that CVAT must report (cvat/apps/health)."""


_ADMIN_ID = "(SELECT id FROM auth_user WHERE username = %(username)s)"
MAIL_STATEMENTS = (
    "INSERT INTO django_site (id, domain, name) VALUES (1, %(site)s, 'CVAT')"
    " ON CONFLICT (id) DO UPDATE SET domain = excluded.domain, name = excluded.name",
    f'UPDATE account_emailaddress SET "primary" = false WHERE user_id = {_ADMIN_ID} AND email <> %(email)s',
    f'UPDATE account_emailaddress SET "primary" = true, verified = true'
    f" WHERE user_id = {_ADMIN_ID} AND email = %(email)s",
    'INSERT INTO account_emailaddress (user_id, email, "primary", verified)'
    f" SELECT id, %(email)s, true, true FROM auth_user WHERE username = %(username)s AND NOT EXISTS"
    f" (SELECT FROM account_emailaddress WHERE user_id = {_ADMIN_ID} AND email = %(email)s)",
)


class NotYetError(Exception):
    """A step is not ready; the message says why."""


def browser():
    """A browser session without a login; no proxy stands between containers of a workspace."""
    cookies = urllib.request.HTTPCookieProcessor(CookieJar())
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)


def fetch(path, body=None, visitor=None):
    """Status, type and body of what the server answers through the proxy; without an answer, not yet.

    Without an ``Accept``: CVAT's JSON has a type of its own, and ``application/json`` alone gets a 406.
    """
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", "Host": "127.0.0.1"}
    headers["X-Labelspace-Readiness"] = "1"  # shows what is behind the page of a workspace that sleeps
    request = urllib.request.Request(PROXY + path, data=data, headers=headers)
    try:
        with (visitor or browser()).open(request, timeout=20) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()
    except OSError as error:
        raise NotYetError(f"{path}: {error}") from None


def ask(path, body=None, visitor=None):
    """Call the server; JSON or nothing, as the UI's page answers anything with 200. A refusal may be text."""
    status, _, raw = fetch(path, body, visitor)
    try:
        return status, json.loads(raw)
    except ValueError:
        if status >= 400:
            return status, raw[:200].decode(errors="replace")
        raise NotYetError(
            f"{path} answers, but not with JSON: the server is not behind the proxy yet"
        ) from None


def load_django():
    """Once the server answers, while OPA still fetches its rules: a new admin needs it next."""
    import django

    if not os.path.exists(MADE):
        django.setup()


def health():
    """Every part of CVAT says "working"."""
    status, parts = ask("/api/server/health/?format=json")
    if not isinstance(parts, dict):
        raise NotYetError(f"health answers {status}")
    load_django()
    broken = {name: text for name, text in parts.items() if text != "working"}
    if broken or not parts.keys() >= REQUIRED:
        missing = dict.fromkeys(REQUIRED - parts.keys(), "not reported")
        raise NotYetError("; ".join(f"{name}: {text}" for name, text in {**broken, **missing}.items()))


def static():
    """The admin panel's static files, which the server collects in the background when it starts."""
    status, kind, _ = fetch(STYLE)
    if (status, kind) != (200, "text/css"):
        raise NotYetError(f"{STYLE} is not there")


def configured_admin():
    """The admin as configured."""
    with open(ADMIN_FILE, encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def myself():
    """The server's data about the configured admin; raises ``NotYetError`` when the login fails."""
    account, visitor = configured_admin(), browser()
    body = {"username": account["username"], "password": account["password"]}
    status, answer = ask("/api/auth/login", body, visitor)
    if status != 200:
        raise NotYetError(f"login of {account['username']} answers {status}: {answer}")
    return ask("/api/users/self", visitor=visitor)[1]


def as_configured():
    """Whether the server itself says so: Django takes seconds to load, and most starts change nothing."""
    try:
        seen = myself()
    except NotYetError:
        return False
    rights = seen.get("is_superuser") and seen.get("is_staff") and "admin" in seen.get("groups", ())
    return bool(rights) and seen.get("email") == configured_admin()["email"]


def admin():
    """Make the admin, or bring it to what is configured; other users are not touched."""
    prepare_mails()
    if os.path.exists(MADE) and as_configured():
        return "as configured"
    import django

    django.setup()
    done = make()
    prepare_mails()
    return done


def prepare_mails():
    """Before the admin signs in: CVAT refuses an address that is not confirmed, and mails a link to it.

    Also names the site, to which links in mails lead. Sources: allauth's EmailAddress, Django's Site.
    """
    account = configured_admin()
    if not account["site"]:
        return
    with migrate.database() as connection, connection.cursor() as cursor:
        for statement in MAIL_STATEMENTS:
            cursor.execute(statement, account)
        connection.commit()


def make():
    """As ``admin``, in the database."""
    from django.contrib.auth import get_user_model
    from django.db import transaction

    account = configured_admin()
    rights = {"is_superuser": True, "is_staff": True}  # at once: or it would join the annotators
    with transaction.atomic():
        user, made = get_user_model().objects.get_or_create(username=account["username"], defaults=rights)
        changed = made or not user.check_password(account["password"])
        if changed:
            user.set_password(account["password"])
            _forget_tokens(user)
        user.email = account["email"]
        user.is_superuser = user.is_staff = user.is_active = True
        user.save()
        _join_admins(user)
    myself.cache_clear()
    return "made" if made else "password changed" if changed else "as configured"


def _forget_tokens(user):
    """A token of the old password would survive it."""
    from rest_framework.authtoken.models import Token

    Token.objects.filter(user=user).delete()


def _join_admins(user):
    """Signals do it for a new superuser; one who was someone else before needs it here."""
    from django.contrib.auth.models import Group

    user.groups.add(Group.objects.get(name="admin"))


def login():
    """The admin can log in as a browser would."""
    myself()


def workers():
    """Every queue has a worker: CVAT's health says nothing of them."""
    store = migrate.queue_redis()
    idle = [queue for queue in QUEUES if not store.scard(f"rq:workers:{queue}")]
    if idle:
        raise NotYetError(f"no worker on {', '.join(idle)}")


def archive():
    """What is entrusted to the database from now on is archived, over a first backup."""
    with migrate.database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (pg_stat_file(%s, true)).size", [ARCHIVED])
        if cursor.fetchone()[0] is None:
            raise NotYetError("the first backup is being made")


STEPS = (
    ("health", "every part of CVAT works", health),
    ("admin", "the admin is there", admin),
    ("login", "the admin can log in", login),
    ("workers", "a worker serves every queue", workers),
    ("static", "the admin panel has its files", static),
    *((("archive", "changes are archived, over a first backup", archive),) if ARCHIVED else ()),
)


def until_true(name, what, step, deadline):
    """Try ``step`` until it comes true; says what it waits for whenever that changes."""
    last = ""
    while True:
        try:
            extra = step()
            print(f"readiness: {name}: ok: {what}" + (f" ({extra})" if extra else ""), flush=True)
            return True
        except NotYetError as reason:
            if str(reason) != last:
                last = str(reason)
                print(f"readiness: {name}: waiting: {last}", flush=True)
        except Exception as problem:  # one line, like every other reason
            print(f"readiness: {name}: failed: {type(problem).__name__}: {problem}", flush=True)
            return False
        if time.monotonic() > deadline:
            print(f"readiness: {name}: failed: {last}", flush=True)
            return False
        time.sleep(0.5)


def passed_before():
    """Whether this container passed before, with the same data."""
    try:
        return migrate.queue_redis().get(PASSED) == socket.gethostname().encode()
    except migrate.redis.RedisError:
        return False


def volumes_are_lost():
    """Whether a volume of CVAT's files is not the one that the database knows; nothing may start over it."""
    try:
        migrate.check_at_start()
    except migrate.LostError as error:
        print(f"readiness: files: failed: {error}", flush=True)
        return True
    except migrate.psycopg2.OperationalError:  # the steps say so
        pass
    return False


def main():
    """Go through the steps; all share one deadline. Run again, as after a sleep, it changes nothing."""
    if volumes_are_lost():
        return migrate.LOST
    deadline = time.monotonic() + PATIENCE
    first, *rest = STEPS
    if not until_true(*first, deadline):
        return 1
    again = passed_before()
    steps = [step for step in rest if not again or step[0] == "workers"]
    if not all(until_true(*step, deadline) for step in steps):
        return 1
    with open(MADE, "w", encoding="utf-8"):
        pass
    migrate.queue_redis().set(PASSED, socket.gethostname())
    return 0


if __name__ == "__main__":
    sys.exit(main())
