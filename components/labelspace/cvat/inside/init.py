"""CVAT's own ``init``, unless this database and this Redis had it already from this version and settings.

It starts Django three times: at the start of a workspace that is as it was, most of what there is to wait
for. What was done is noted in both places, so that one that is restored, or new, has it done again.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import time

import psycopg2
import redis

INIT = ["/opt/cvat/backend_entrypoint.sh", "init"]
SETTINGS = "/opt/cvat/settings.py"
PATIENCE_SECONDS = 600
KEY = "labelspace:init"
ARCHIVED = os.environ.get("LABELSPACE_ARCHIVED", "")
"""A file beside the database, as the gate knows it; empty where there is none to wait for."""


def database():
    """As CVAT connects (cvat/settings/production.py); TLS by libpq's own environment."""
    with open(os.environ["CVAT_POSTGRES_PASSWORD_FILE"], encoding="utf-8") as file:
        password = file.read().strip()
    names = {"host": "HOST", "port": "PORT", "dbname": "DBNAME", "user": "USER"}
    words = {key: os.environ[f"CVAT_POSTGRES_{name}"] for key, name in names.items()}
    return contextlib.closing(psycopg2.connect(**words, password=password, connect_timeout=5))


def queues():
    """The Redis whose data ``init`` migrates."""
    return redis.Redis(
        host=os.environ["CVAT_REDIS_INMEM_HOST"],
        port=int(os.environ["CVAT_REDIS_INMEM_PORT"]),
        password=os.environ.get("CVAT_REDIS_INMEM_PASSWORD") or None,
        socket_timeout=5,
    )


def note(cursor, version):
    """What is noted: version, settings, and the migrations that are there now."""
    with open(SETTINGS, "rb") as file:
        settings = hashlib.sha256(file.read()).hexdigest()[:16]
    cursor.execute("SELECT count(*), max(id) FROM django_migrations")
    return "labelspace: CVAT {} with settings {}, {} migrations up to {}".format(
        version, settings, *cursor.fetchone()
    )


def takes_writes():
    """The database answers to the password that it shall have, and has replayed what it must."""
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone()[0]:
            raise psycopg2.OperationalError("it replays changes")


def archived():
    """A first backup is there. It counts rows under locks, in whose way a migration would come."""
    if not ARCHIVED:
        return
    with database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (pg_stat_file(%s, true)).size", (ARCHIVED,))
        if cursor.fetchone()[0] is None:
            raise psycopg2.OperationalError("it is being made")


def wait_for(what, asked):
    """Until what is asked raises no more; says what it waits for whenever that changes."""
    said, deadline = "", time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            asked()
            return
        except (psycopg2.OperationalError, redis.RedisError) as error:
            reason = str(error).strip()
        if reason != said:
            print(f"init: waiting for the {what}: {reason}", flush=True)
            said = reason
        if time.monotonic() > deadline:
            sys.exit(f"init: the {what} does not answer: {said}")
        time.sleep(0.3)


def was_done(version):
    """Whether both places say that nothing is left to do."""
    try:
        with database() as connection, connection.cursor() as cursor:
            noted = note(cursor, version).encode()
            cursor.execute("SELECT obj_description('django_migrations'::regclass, 'pg_class')")
            return (cursor.fetchone()[0] or "").encode() == noted == queues().get(KEY)
    except (psycopg2.Error, redis.RedisError):
        return False


def keep(version):
    """Note it; where that fails, it is done again next time."""
    try:
        with database() as connection, connection.cursor() as cursor:
            noted = note(cursor, version)
            cursor.execute("COMMENT ON TABLE django_migrations IS %s", (noted,))
            connection.commit()
        queues().set(KEY, noted)
    except (psycopg2.Error, redis.RedisError) as error:
        print(f"init: done, but it could not be noted: {error}", flush=True)


def main():
    """Return the exit code of CVAT's ``init``, or 0 where it was done before."""
    version = sys.argv[1]
    wait_for("database", takes_writes)
    wait_for("queues", lambda: queues().ping())
    if was_done(version):
        print("init: was done before", flush=True)
        return 0
    wait_for("first backup", archived)
    code = subprocess.call(INIT)
    if code == 0:
        keep(version)
    return code


if __name__ == "__main__":
    sys.exit(main())
