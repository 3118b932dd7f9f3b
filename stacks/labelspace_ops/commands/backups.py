"""Commands on backups: ``backup``, ``backups``, ``restore``, ``drill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.commands.app import Json, Name, Yes, app, say, show

if TYPE_CHECKING:
    import docker

    from labelspace_ops.backup.agent import Source
    from labelspace_ops.far import Server


def _far(name: str) -> Server | None:
    """The server of a workspace at Scaleway: what is done there goes over SSH."""
    from labelspace.home import Home
    from labelspace_ops import far

    return far.server(name, Home.find())


def _source(name: str) -> tuple[docker.DockerClient, Source]:
    from labelspace.home import Home
    from labelspace_ops import engine
    from labelspace_ops.backup import agent

    home = Home.find()
    return engine.connect(), agent.source(name, home)


@app.command()
def backup(
    name: Name,
    full: Annotated[bool, typer.Option("--full", help="everything anew, not only what changed")] = False,
    as_json: Json = False,
) -> None:
    """Take a backup now, beside those of the schedule."""
    from labelspace_ops import far
    from labelspace_ops.backup import agent

    if server := _far(name):
        done = far.backup(server)
        done = {field: done[field] for field in ("id", "kind", "size", "added")}
    else:
        client, _ = _source(name)
        done = agent.ask(agent.needed(client, name), "backup", kind="full" if full else "incr")
    if as_json:
        show({"name": name, **done})
    else:
        typer.echo(f"{name}: backup {done['id']} taken ({done['added'] / 1e6:.1f} MB added)")
        say(f"prove it: labelspace drill {name}")


@app.command()
def backups(name: Name, as_json: Json = False) -> None:
    """List the backups, newest last, and which moments can be restored."""
    from labelspace_ops import far
    from labelspace_ops.backup import restore as restoring

    server = _far(name)
    rows = far.dumps(server) if server else restoring.listing(*_source(name))
    whole = [row for row in rows if row["complete"]]
    since = whole[0]["when"] if whole else None
    if as_json:
        show({"name": name, "backups": rows, "restorable_from": since})
        return
    for row in rows:
        typer.echo(f"  {row['id']}  {row['size'] / 1e6:>10.1f} MB" if server else _line(row))
    moments = "these moments alone" if server else f"any moment from {since} until now"
    say(f"restorable: {moments}" if since else "nothing can be restored yet")


def _line(row: dict[str, Any]) -> str:
    """The id whole: it is what a restore is given."""
    from labelspace_ops.backup.rows import verified

    size = f"{row['size'] / 1e6:.1f} MB"
    return f"  {row['id']:<33}  {row['when']}  {row['kind']:<4}  {size:>10}  {verified(row)}"


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
    from labelspace_ops import far
    from labelspace_ops.backup import restore as restoring

    server = _far(name)
    dump = far.chosen(server, to=to, backup=backup) if server else None
    moment = (
        f"{dump['when']} (what was annotated since is lost)"
        if dump
        else to or backup or "the last archived change"
    )
    if not yes:
        typer.confirm(f"Stop {name} and bring its annotations back to {moment}?", abort=True)
    if server and dump:
        done = far.restore(server, dump)
    else:
        done = restoring.restore(name, Home.find(), to=to, backup=backup)
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
    from labelspace_ops import far
    from labelspace_ops.backup import rehearsal
    from labelspace_ops.errors import OpsError

    server = _far(name)
    if server:
        proof = far.drill(server, far.chosen(server, backup=backup))
    else:
        proof = rehearsal.drill(_source(name)[0], name, backup)
    if as_json:
        show(proof)
    elif proof["ok"] and server:
        counted = f"{proof['rows']} rows in {proof['tables']} tables"
        typer.echo(f"{name}: {proof['backup']} proven: {counted}, {proof['seconds']} s")
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
