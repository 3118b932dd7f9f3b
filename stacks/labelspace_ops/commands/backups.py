"""Commands on backups: ``backup``, ``backups``, ``restore``, ``drill``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.commands.app import Json, Name, Yes, app, say, show

if TYPE_CHECKING:
    import docker

    from labelspace_ops.backup.agent import Source


def _settings(name: str) -> dict[str, Any]:
    from labelspace.home import Home
    from labelspace_ops import stack

    return stack.read_settings(stack.select(name, Home.find()))


def _far(settings: dict[str, Any]) -> bool:
    """Whether the database is on a server at Scaleway."""
    return settings.get("target") == "scaleway"


def _managed(settings: dict[str, Any]) -> ModuleType | None:
    """What does it for a managed database; None where pgBackRest does."""
    if not _far(settings):
        return None
    from labelspace_ops.cloud import backups as cloud
    from labelspace_ops.cloud import inside

    return None if inside.has(settings) else cloud


@contextmanager
def _reached(name: str, settings: dict[str, Any]) -> Iterator[tuple[docker.DockerClient, Source]]:
    """The engine of the database's machine, and its repository."""
    from labelspace.home import Home
    from labelspace_ops import engine
    from labelspace_ops.backup import agent

    home = Home.find()
    if _far(settings):
        from labelspace_ops.cloud import inside

        with inside.reached(name, home) as found:
            yield found
    else:
        yield engine.connect(), agent.source(name, home)


def _listing(name: str, settings: dict[str, Any]) -> list[dict[str, Any]]:
    from labelspace.home import Home
    from labelspace_ops.backup import restore as restoring

    if _far(settings):
        from labelspace_ops.cloud import inside

        return inside.listing(name, Home.find())
    with _reached(name, settings) as (client, source):
        return restoring.listing(client, source)


@app.command()
def backup(
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="everything anew, not only what changed")] = False,
    as_json: Json = False,
) -> None:
    """Take a backup now, beside those of the schedule."""
    from labelspace.home import Home
    from labelspace_ops.backup import agent

    settings = _settings(name)
    if cloud := _managed(settings):
        done = cloud.backup(name, Home.find())
    else:
        with _reached(name, settings) as (client, _):
            kind = "full" if full else "incr"
            taken = agent.ask(agent.needed(client, name), "backup", kind=kind, gently=True)
        done = {"name": name, **taken}
    if as_json:
        show(done)
        return
    typer.echo(f"{name}: backup {done['id']} taken ({done['added'] / 1e6:.1f} MB added)")
    if done["kind"] != "snapshot":
        say(f"prove it: labelspace drill {name}")


@app.command()
def backups(name: Name, as_json: Json = False) -> None:
    """List the backups, newest last, and which moments can be restored."""
    from labelspace.home import Home

    settings = _settings(name)
    cloud = _managed(settings)
    rows = cloud.listing(name, Home.find()) if cloud else _listing(name, settings)
    whole = [row for row in rows if row["complete"]]
    since = whole[0]["when"] if whole else None
    if as_json:
        show({"name": name, "backups": rows, "restorable_from": since})
        return
    for row in rows:
        typer.echo(_line(row))
    moments = "the moments above" if cloud else f"any moment from {since} until now"
    say(f"restorable: {moments}" if since else "nothing can be restored yet")


def _line(row: dict[str, Any]) -> str:
    """The id whole: it is what a restore is given."""
    from labelspace_ops.backup.rows import verified

    size = f"{row['size'] / 1e6:.1f} MB"
    return f"  {row['id']:<33}  {row['when']}  {row['kind']:<8}  {size:>10}  {verified(row)}"


@app.command()
def restore(
    name: Name,
    to: Annotated[str, typer.Option(help="a time, such as 2026-11-24T15:04:00Z")] = "",
    backup: Annotated[str, typer.Option(help="the id of a backup (labelspace backups)")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Bring the annotations back to a time, a backup or the last change; what is there is kept first."""
    from labelspace.home import Home
    from labelspace_ops import state
    from labelspace_ops.backup import restore as restoring

    home = Home.find()
    state.must_exist(name, home)
    settings = _settings(name)
    moment, copy = to or backup or "the last archived change", None
    if cloud := _managed(settings):
        copy = cloud.chosen(name, home, to=to, backup=backup)
        moment = f"{copy['id']} (what was annotated since is lost)"
    if not yes:
        typer.confirm(f"Stop {name} and bring its annotations back to {moment}?", abort=True)
    if cloud:
        done = cloud.restore(name, home, copy)
    elif _far(settings):
        from labelspace_ops.cloud import inside

        done = inside.bring_back(name, home, to=to, backup=backup)
    else:
        done = restoring.restore(name, home, to=to, backup=backup)
    if as_json:
        show(done)
        return
    typer.echo(
        f"{name}: restored to {done['to']} (last change: {done['last_change'] or 'none after the backup'})"
    )
    typer.echo(f"  lost  {done['lost']}")
    if done["kept"] and not done["kept"].startswith("replaced-"):
        typer.echo(f"  undo  labelspace restore {name} --backup {done['kept']}")


@app.command()
def drill(
    name: Name,
    backup: Annotated[str, typer.Option(help="the id of a backup; the newest by default")] = "",
    as_json: Json = False,
) -> None:
    """Prove a backup: restore it beside the running database, and compare it with what it must hold."""
    from labelspace.home import Home
    from labelspace_ops.backup import rehearsal
    from labelspace_ops.errors import OpsError

    settings = _settings(name)
    if cloud := _managed(settings):
        proof = cloud.drill(name, Home.find(), backup)
    else:
        with _reached(name, settings) as (client, _):
            proof = rehearsal.drill(client, name, backup)
    if as_json:
        show(proof)
    elif proof["ok"] and cloud:
        counted = f"{proof['rows']} rows in {proof['tables']} tables"
        as_recorded = "as recorded" if proof["recorded"] else "no record to compare with"
        verb = "proven" if proof["recorded"] else "restored"
        typer.echo(f"{name}: {proof['backup']} {verb}: {counted}, {as_recorded}, {proof['seconds']} s")
    elif proof["ok"]:
        typer.echo(
            f"{name}: {proof['backup']} proven: {proof['rows']} rows in {proof['tables']} tables as recorded,"
            f" {_migrations(proof['missing'])}, CVAT's files read ({proof['files_read']}),"
            f" {proof['seconds']} s"
        )
    if not proof["ok"]:
        raise OpsError(f"{name}: the drill of {proof['backup'] or 'a backup'} failed: {proof['reason']}")


def _migrations(missing: list[str]) -> str:
    """Missing ones are those of an upgrade since: a restore migrates."""
    return f"{len(missing)} migrations older than its CVAT" if missing else "migrations complete"
