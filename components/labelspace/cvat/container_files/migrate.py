"""Runs CVAT's own ``init``, unless this database and this Redis are migrated to this version.

A marker in both records a finished migration, so that a new or restored one is migrated again. Before
they start, the server and the workers call ``migrate.py await``, which waits for the marker, or ``migrate.py
check``, which only looks at the volumes (start.sh).

It also guards CVAT's volumes: each holds a file with an identity, and the database holds the same identity.
Once the database has an identity, nothing starts over a volume without it, such as an empty one.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import uuid

import psycopg2
import redis

CVAT_INIT = ["/opt/cvat/backend_entrypoint.sh", "init"]
ONCE = "/opt/labelspace/django_once.py"
VERSION = os.environ["LABELSPACE_CVAT"]
PATIENCE_SECONDS = 600
AWAIT_SECONDS = 60
"""Seconds until a waiting service asks Django itself: the migration may have been run by hand."""
KEY = "labelspace:migrate"
MIGRATED_MARKER = "/home/django/logs/labelspace-migrated"
"""Written after the first migration: where it is, probably nothing is left to migrate."""
VOLUMES = {"data": "/home/django/data", "keys": "/home/django/keys"}
"""The volumes that hold what nobody can make again."""
IDENTITY_FILE = ".labelspace-identity"
IDENTITY_TABLE = "django_content_type"
"""Its comment holds the identity of the volumes; every CVAT has this table, and dumps hold its comment."""
LOST = 4
"""Exit code when a volume is not the one that the database knows."""


def database():
    """As CVAT connects (cvat/settings/production.py); TLS by libpq's own environment."""
    with open(os.environ["CVAT_POSTGRES_PASSWORD_FILE"], encoding="utf-8") as file:
        password = file.read().strip()
    names = {"host": "HOST", "port": "PORT", "dbname": "DBNAME", "user": "USER"}
    words = {key: os.environ[f"CVAT_POSTGRES_{name}"] for key, name in names.items()}
    return contextlib.closing(psycopg2.connect(**words, password=password, connect_timeout=5))


def queue_redis():
    """The Redis whose data ``init`` migrates."""
    return redis.Redis(
        host=os.environ["CVAT_REDIS_INMEM_HOST"],
        port=int(os.environ["CVAT_REDIS_INMEM_PORT"]),
        password=os.environ.get("CVAT_REDIS_INMEM_PASSWORD") or None,
        socket_timeout=5,
    )


def note(cursor):
    """Return the marker's text: the version, and the migrations that are there now."""
    cursor.execute("SELECT count(*), max(id) FROM django_migrations")
    return "labelspace: CVAT {}, {} migrations up to {}".format(VERSION, *cursor.fetchone())


def takes_writes():
    """Raise ``psycopg2.Error`` unless the database accepts the configured password and is not in recovery."""
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone()[0]:
            raise psycopg2.OperationalError("it replays changes")


def wait_for(what, asked):
    """Until what is asked raises no more; says what it waits for whenever that changes."""
    last, deadline = "", time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            asked()
            return
        except (psycopg2.OperationalError, redis.RedisError) as error:
            reason = str(error).strip()
        if reason != last:
            print(f"migrate: waiting for the {what}: {reason}", flush=True)
            last = reason
        if time.monotonic() > deadline:
            sys.exit(f"migrate: the {what} does not answer: {last}")
        time.sleep(0.3)


def was_done():
    """Whether database and Redis both hold the marker of this version."""
    try:
        with database() as connection, connection.cursor() as cursor:
            noted = note(cursor).encode()
            cursor.execute("SELECT obj_description('django_migrations'::regclass, 'pg_class')")
            return (cursor.fetchone()[0] or "").encode() == noted == queue_redis().get(KEY)
    except (psycopg2.Error, redis.RedisError):
        return False


def keep():
    """Write the marker into the database and Redis; a failure is printed: the next start migrates again."""
    try:
        with database() as connection, connection.cursor() as cursor:
            noted = note(cursor)
            cursor.execute("COMMENT ON TABLE django_migrations IS %s", (noted,))
            connection.commit()
        queue_redis().set(KEY, noted)
        with open(MIGRATED_MARKER, "w", encoding="utf-8"):
            pass
    except (psycopg2.Error, redis.RedisError, OSError) as error:
        print(f"migrate: done, but it could not be noted: {error}", flush=True)


class LostError(Exception):
    """A volume is empty or another one; the message says which, and what to do."""


def identity_in(folder):
    """The identity that a volume holds; empty for none."""
    with contextlib.suppress(FileNotFoundError), open(f"{folder}/{IDENTITY_FILE}", encoding="utf-8") as file:
        return file.read().strip()
    return ""


def known_identity(cursor):
    """The identity that the database holds; empty for none, None before CVAT's first migration."""
    cursor.execute("SELECT to_regclass(%s)::oid", (IDENTITY_TABLE,))
    table = cursor.fetchone()[0]
    if table is None:
        return None
    cursor.execute("SELECT coalesce(obj_description(%s, 'pg_class'), '')", (table,))
    return cursor.fetchone()[0]


def check_volumes(cursor):
    """Return the identity of database and volumes, empty for none; raise ``LostError`` where they differ."""
    known, found = known_identity(cursor), {name: identity_in(path) for name, path in VOLUMES.items()}
    foreign = [name for name, identity in found.items() if known and identity != known]
    if foreign:
        raise LostError(
            "CVAT's files are lost: the volume {} is empty or belongs to another workspace. `labelspace"
            " restore NAME` brings the files back from a backup".format(" and the volume ".join(foreign))
        )
    return known or next(filter(None, found.values()), "")


def mark_volumes():
    """Write one identity into the volumes and the database, where it is missing."""
    with database() as connection, connection.cursor() as cursor:
        identity = check_volumes(cursor) or uuid.uuid4().hex
        for path in VOLUMES.values():
            if identity_in(path) != identity:
                with open(f"{path}/{IDENTITY_FILE}.new", "w", encoding="utf-8") as file:
                    file.write(identity + "\n")
                os.replace(file.name, f"{path}/{IDENTITY_FILE}")
        if known_identity(cursor) == "":
            cursor.execute(f"COMMENT ON TABLE {IDENTITY_TABLE} IS %s", (identity,))
            connection.commit()


def check_at_start():
    """As ``check_volumes``."""
    with database() as connection, connection.cursor() as cursor:
        check_volumes(cursor)


def entrypoint_is_known():
    """Whether start.sh answers for django-admin in this image's entrypoint."""
    with open(CVAT_INIT[0], "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    known = os.environ.get("LABELSPACE_ENTRYPOINTS", "").split()
    with contextlib.suppress(FileNotFoundError), open(f"{CVAT_INIT[0]}.labelspace", encoding="utf-8") as file:
        known += file.read().split()
    return digest in known


class Django:
    """One process for all of Django's commands, which loads while others are waited for."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        pipes = [f"{self.folder}/{name}" for name in ("ask", "answer")]
        for pipe in pipes:
            os.mkfifo(pipe)
        self.held = [os.open(pipe, os.O_RDWR) for pipe in pipes]  # or each asker's end would be the end
        self.process = subprocess.Popen([sys.executable, ONCE, *pipes])

    def do(self, command):
        """The exit code of ``command``, whose calls of django-admin come here."""
        asking = subprocess.Popen(command, env={**os.environ, "LABELSPACE_DJANGO": self.folder})
        while asking.poll() is None:
            if self.process.poll() is not None:  # no process is left to answer
                asking.kill()
                return self.process.returncode or 1
            time.sleep(0.05)
        return asking.returncode

    def end(self):
        """Nothing is left to ask."""
        self.process.terminate()
        self.process.wait()


def prepare():
    """Return the exit code of CVAT's ``init``, or 0 where it was done before.

    Raises ``LostError`` for a volume that the database does not know; exits when a service does not answer
    within PATIENCE_SECONDS.
    """
    fast = entrypoint_is_known()
    django = None if os.path.exists(MIGRATED_MARKER) or not fast else Django()
    try:
        wait_for("database", takes_writes)
        check_at_start()
        wait_for("queues", lambda: queue_redis().ping())
        if was_done():
            mark_volumes()
            print("migrate: was done before", flush=True)
            return 0
        if fast:
            django = django or Django()
        code = django.do(CVAT_INIT) if django else subprocess.call(CVAT_INIT)
    finally:
        if django:
            django.end()
    if code == 0:
        mark_volumes()
        keep()
    return code


def has_no_users():
    """True on first start (no users yet): services need not wait for migrations."""
    with (
        contextlib.suppress(psycopg2.OperationalError),
        database() as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET lock_timeout = '1s'")
        cursor.execute("SELECT to_regclass('auth_user') IS NOT NULL, pg_is_in_recovery()")
        made, replays = cursor.fetchone()
        if made and not replays:
            cursor.execute("SELECT EXISTS (SELECT FROM auth_user)")
            made = cursor.fetchone()[0]
        return not made and not replays
    return False


def await_note():
    """Return 0 once the note is there, or need not be; 1 when it does not come."""
    with contextlib.suppress(psycopg2.OperationalError):
        check_at_start()
    deadline = time.monotonic() + AWAIT_SECONDS
    while not (has_no_users() or was_done()):
        if time.monotonic() > deadline:
            return 1
        time.sleep(0.5)
    return 0


def check():
    """Look at the volumes once the database answers; return 0."""
    wait_for("database", check_at_start)
    return 0


COMMANDS = {"prepare": prepare, "await": await_note, "check": check}

if __name__ == "__main__":
    try:
        sys.exit(COMMANDS[sys.argv[1] if sys.argv[1:] else "prepare"]())
    except LostError as error:
        print(f"migrate: {error}", flush=True)
        sys.exit(LOST)
