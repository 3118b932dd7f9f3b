"""Checks whether a workspace can use a database that the user brings, and marks it as that workspace's."""

from __future__ import annotations

from . import record
from .logical import Logical
from .programs import FailedError, Json, run
from .session import PSQL, Ask, session

OLDEST = 15
"""The major version of PostgreSQL that CVAT is tested with."""
MARKED = f"select to_regclass('public.{record.MARK_TABLE}') is not null"
NOT_OWNED = f"""\
select quote_ident(tablename) from pg_tables
where schemaname = 'public' and tablename <> '{record.MARK_TABLE}'
and not pg_has_role(current_user, tableowner, 'usage') order by 1 limit 1
"""  # noqa: S608 - a constant
RIGHTS = {
    "connect to the database": "has_database_privilege(current_database(), 'CONNECT')",
    "make temporary tables": "has_database_privilege(current_database(), 'TEMP')",
    "create tables in schema public": "has_schema_privilege('public', 'CREATE')",
}


def check(engine: Logical) -> Json:
    """The server's version, its tables, the workspace that uses it; raises ``FailedError`` if one is unfit.

    Nothing is changed.
    """
    with session(engine.context.client(*PSQL)) as ask:
        version = int(ask("show server_version_num")) // 10000
        _check_version(version, _client_version(engine))
        _check_rights(ask)
        return {"version": version, "tables": len(record.tables(ask)), "workspace": marked(ask)}


def _client_version(engine: Logical) -> int:
    return int(run(["pg_dump", "--version"], user="root").split()[2].partition(".")[0])


def _check_version(server: int, client: int) -> None:
    if server < OLDEST:
        raise FailedError(f"its PostgreSQL is {server}: CVAT needs {OLDEST} or later")
    if server > client:
        raise FailedError(
            f"its PostgreSQL is {server}: the pg_dump of this version reads {client} and earlier"
        )


def _check_rights(ask: Ask) -> None:
    missing = [right for right, test in RIGHTS.items() if ask(f"select {test}") != "t"]
    if missing:
        raise FailedError(f"its role has no right to {missing[0]}: make it the owner of the database")
    table = ask(NOT_OWNED)
    if table:
        raise FailedError(f"its table {table} belongs to another role: make the role its owner")
    encoding = ask("show server_encoding")
    if encoding != "UTF8":
        raise FailedError(f"its encoding is {encoding}: create it with encoding UTF8")


def marked(ask: Ask) -> str:
    """The workspace that uses the database; empty for none."""
    if ask(MARKED) != "t":
        return ""
    return ask(f"select name from public.{record.MARK_TABLE} limit 1")  # noqa: S608 - a constant


def claim(engine: Logical) -> None:
    """Mark the database as this workspace's; raises ``FailedError`` when it is another one's."""
    name = engine.settings.workspace
    with session(engine.context.client(*PSQL)) as ask:
        ask(f"create table if not exists public.{record.MARK_TABLE} (name text primary key)")
        found = marked(ask)
        if found not in ("", name):
            raise FailedError(f"the database belongs to workspace {found}")
        if not found:
            ask(f"insert into public.{record.MARK_TABLE} values ('{name}')")  # noqa: S608 - a workspace's name
