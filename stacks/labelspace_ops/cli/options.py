"""Settings from the command line: flags and ``KEY=VALUE`` assignments."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelspace_ops.core.errors import UsageError

if TYPE_CHECKING:
    from labelspace.spec import Settings

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the admin's password from standard input")
]


@dataclass(frozen=True)
class SettingFlags:
    """The options for settings, of ``create`` and ``preview``."""

    bucket: Annotated[
        list[str] | None,
        typer.Option(
            help="dataset bucket, as NAME, or NAME=FOLDER for a folder of your own, which is only read;"
            " repeatable"
        ),
    ] = None
    remote_bucket: Annotated[
        list[str] | None,
        typer.Option(
            help="remote dataset bucket, as NAME@https://ENDPOINT; keys from AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, region from AWS_DEFAULT_REGION; repeatable"
        ),
    ] = None
    backup_bucket: Annotated[
        str | None,
        typer.Option(
            help="S3 bucket for the backups, as NAME@https://ENDPOINT; keys and region as for"
            " --remote-bucket; AWS_CA_BUNDLE names the certificate file of a private authority"
        ),
    ] = None
    description: Annotated[str | None, typer.Option(help="purpose of the workspace")] = None
    target: Annotated[str | None, typer.Option(help="where it runs: local, scaleway or kubernetes")] = None
    context: Annotated[
        str | None,
        typer.Option(help="kubernetes: context of the kubeconfig file; the current one by default"),
    ] = None
    admin_username: Annotated[str | None, typer.Option(help="the admin's user name")] = None
    admin_email: Annotated[str | None, typer.Option(help="the admin's e-mail address")] = None
    password_stdin: PasswordStdin = False
    registration: Annotated[
        str | None,
        typer.Option(
            help="open: annotators sign up themselves; closed: the admin makes accounts (scaleway's default)"
        ),
    ] = None
    default_role: Annotated[str | None, typer.Option(help="worker (safe) or user")] = None
    bind_address: Annotated[str | None, typer.Option(help="address to serve; 127.0.0.1: this machine")] = None
    port: Annotated[int | None, typer.Option(help="port of the URL; a free one by default")] = None
    s3_port: Annotated[int | None, typer.Option(help="port of the buckets' S3 endpoint")] = None
    size: Annotated[str | None, typer.Option(help="small, medium or large")] = None
    cvat_version: Annotated[str | None, typer.Option(help="version of CVAT")] = None
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="any other setting, as KEY=VALUE (docs/reference/settings.md); repeatable"
        ),
    ] = None


PLAIN = (
    *("description", "target", "registration", "default_role", "bind_address"),
    *("port", "s3_port", "size", "cvat_version"),
)


def from_flags(name: str, flags: SettingFlags, *, ask: bool) -> Settings:
    """Return the settings of a command's flags; ``ask``: prompt for missing ones on a terminal."""
    values: Settings = {key: value for key in PLAIN if (value := getattr(flags, key)) is not None}
    values |= _basic_settings(name, flags, ask=ask and sys.stdin.isatty())
    admin = values.setdefault("admin", {})
    given = {"username": flags.admin_username, "email": flags.admin_email}
    admin |= {key: value for key, value in given.items() if value}
    if flags.password_stdin:
        admin["password"] = sys.stdin.readline().rstrip("\r\n")
    if not admin:
        del values["admin"]
    if flags.context:
        values["kubernetes"] = {"context": flags.context}
    if flags.backup_bucket:
        values["backup"] = {"bucket": _backup_bucket("backup-bucket", flags.backup_bucket)}
    return from_assignments(flags.set_ or [], values)


def _basic_settings(name: str, flags: SettingFlags, *, ask: bool) -> Settings:
    """Return name, buckets and admin from flags, or from prompts."""
    name, buckets = name or _ask_name(ask=ask), _buckets(flags.bucket, flags.remote_bucket)
    if _exists(name):
        return {"name": name, "buckets": buckets} if buckets else {"name": name}
    if not buckets and ask:
        buckets = _buckets(typer.prompt("Dataset buckets (separate with spaces)").split(), None)
    values: Settings = {"name": name, "buckets": buckets}
    if ask and not flags.admin_username:
        values["admin"] = {"username": typer.prompt("User name of the admin", default="admin")}
    return values


def _exists(name: str) -> bool:
    """Whether the workspace has settings, with or without a state."""
    from labelspace.home import Home
    from labelspace_ops.stack import project, state

    home = Home.find()
    return name in state.names(home) or bool(name and project.find(home).settings_file(name).exists())


def _ask_name(*, ask: bool) -> str:
    if not ask:
        raise UsageError("name: missing: `labelspace create NAME --bucket BUCKET`")
    return str(typer.prompt("Name of the workspace"))


def _buckets(names: list[str] | None, remotes: list[str] | None) -> list[dict[str, str]]:
    """Return buckets of this machine, and remote ones with the keys of the environment."""
    here = [_bucket(text) for text in names or []]
    return here + [{**_environment(), **_named_at("remote-bucket", remote)} for remote in remotes or []]


def _bucket(text: str) -> dict[str, str]:
    """Parse NAME or NAME=FOLDER; the folder may be given from where the command runs."""
    name, equals, folder = text.partition("=")
    if equals and not folder:
        raise UsageError(f"bucket: {text!r}: give NAME=FOLDER, such as photos=/data/images")
    return {"name": name, "path": str(Path(folder).expanduser().absolute())} if folder else {"name": name}


def _environment() -> dict[str, str]:
    """Return keys and region of a remote bucket; an argument would show in the process list."""
    fields = {"AWS_ACCESS_KEY_ID": "access_key", "AWS_SECRET_ACCESS_KEY": "secret_key"}
    fields["AWS_DEFAULT_REGION"] = "region"
    return {field: os.environ[variable] for variable, field in fields.items() if os.environ.get(variable)}


def _named_at(field: str, remote: str) -> dict[str, str]:
    name, at, endpoint = remote.partition("@")
    if not at:
        raise UsageError(f"{field}: {remote!r}: give NAME@https://ENDPOINT")
    return {"name": name, "endpoint": endpoint}


def _backup_bucket(field: str, text: str) -> dict[str, str]:
    bundle = os.environ.get("AWS_CA_BUNDLE")
    try:
        authority = {"ca_certificate": Path(bundle).read_text()} if bundle else {}
    except OSError as error:
        raise UsageError(f"AWS_CA_BUNDLE: {bundle} cannot be read: {error.strerror}") from None
    return {**_environment(), **authority, **_named_at(field, text)}


def _external_database(url: str) -> Settings | None:
    """Parse a connection URL; add password and certificate authority from the environment."""
    if not url:
        return None
    from labelspace.spec import ExternalDatabaseSpec

    try:
        values = ExternalDatabaseSpec.split_url(url)
    except ValueError as error:
        raise UsageError(f"external_database: {error}") from None
    if os.environ.get("PGPASSWORD"):
        values["password"] = os.environ["PGPASSWORD"]
    authority = os.environ.get("PGSSLROOTCERT")
    try:
        return {**values, "ca_certificate": Path(authority).read_text()} if authority else values
    except OSError as error:
        raise UsageError(f"PGSSLROOTCERT: {authority} cannot be read: {error.strerror}") from None


def _notify(notify: Settings | None, field: str, value: str) -> Settings | None:
    """The block ``notify`` with another receiver, a webhook of standard input for ``-``; None without any."""
    if field == "webhook" and value not in ("-", ""):
        raise UsageError(
            "notify.webhook: a webhook's URL in an argument is visible to other users: write"
            " notify.webhook=- and give the URL on standard input"
        )
    receiver = _from_stdin(f"notify.{field}") if value == "-" else value
    changed = {**(notify or {}), field: receiver or None}
    return changed if changed.get("webhook") or changed.get("email") else None


def _from_stdin(key: str) -> str:
    """Return a line of standard input; a terminal asks for it and does not show it."""
    is_terminal = sys.stdin.isatty()
    return (getpass.getpass(f"{key}: ") if is_terminal else sys.stdin.readline()).strip()


def from_assignments(assignments: list[str], settings: Mapping[str, Any]) -> Settings:
    """``settings`` with each ``KEY=VALUE`` of ``assignments`` applied.

    Keys of inner settings are written with a dot (``backup.retention_days=30``). ``buckets`` takes names with
    commas, NAME=FOLDER for a folder of the user's own; ``buckets+=`` and ``buckets-=`` add and remove.
    ``backup.bucket`` takes ``NAME@https://ENDPOINT``, or nothing for a folder of this machine;
    ``external_database`` takes a connection URL; ``tls=`` and ``email=`` remove these blocks. A change of
    ``email`` takes its password from SMTP_PASSWORD in the environment. ``notify.webhook`` takes ``-`` for
    standard input, and so does ``scaleway.acme_eab_hmac``; ``notify.webhook=`` and ``notify.email=`` remove a
    receiver. No value removes any other optional setting of one value. Raises ``UsageError``.
    """
    changed = {key: value for key, value in settings.items() if key != "name"}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"{assignment!r}: write KEY=VALUE, for example registration=closed")
        if key.rstrip("+-") == "buckets":
            changed["buckets"] = _changed_buckets(list(changed.get("buckets", [])), key, value)
        elif key == "backup.bucket":
            bucket = _backup_bucket(key, value) if value else None
            changed["backup"] = {**changed.get("backup", {}), "bucket": bucket}
        elif key in ("notify.webhook", "notify.email"):
            changed["notify"] = _notify(changed.get("notify"), key.partition(".")[2], value)
        elif key == "external_database":
            changed[key] = _external_database(value)
        elif key in OPTIONAL_BLOCKS and not value:
            changed[key] = None
        else:
            _assign(changed, key, value)
    if any(assignment.startswith("email.") for assignment in assignments) and os.environ.get("SMTP_PASSWORD"):
        changed["email"]["password"] = os.environ["SMTP_PASSWORD"]
    return {**changed, "name": settings["name"]}


def _changed_buckets(buckets: list[Settings], key: str, value: str) -> list[Settings]:
    given = [_bucket(text) for text in value.split(",") if text]
    names = [bucket["name"] for bucket in given]
    if key == "buckets-":
        missing = [name for name in names if name not in [one["name"] for one in buckets]]
        if missing:
            raise UsageError(
                f"buckets: {missing[0]!r} is not a bucket of this workspace: see `labelspace status NAME`"
            )
        return _at_least_one([one for one in buckets if one["name"] not in names])
    known = {one["name"]: one for one in buckets}
    selected = [known.get(one["name"], one) if [*one] == ["name"] else one for one in given]
    return _at_least_one(buckets + selected if key == "buckets+" else selected)


def _at_least_one(buckets: list[Settings]) -> list[Settings]:
    if not buckets:
        raise UsageError("buckets: a workspace needs at least one: add another first (buckets+=NAME)")
    return buckets


OPTIONAL_BLOCKS = ("tls", "email")
"""Blocks of settings that an assignment without a value removes."""
SECRET_KEYS = {
    "admin.password": "a password in an argument is visible to other users: use --password-stdin",
    "backup.bucket.access_key": "keys in an argument are visible to other users: give"
    " backup.bucket=NAME@https://ENDPOINT, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the"
    " environment",
}
SECRET_KEYS["backup.encryption_key"] = (
    "a key in an argument is visible to other users: give it to `pulumi config set --secret --path"
    " labelspace:backup.encryption_key` on standard input"
)
SECRET_KEYS["scaleway.acme_eab_hmac"] = (
    "a key in an argument is visible to other users: write scaleway.acme_eab_hmac=- and give the key on"
    " standard input"
)
SECRET_KEYS["email.password"] = (
    "a password in an argument is visible to other users: give email.user=NAME, with SMTP_PASSWORD in the"
    " environment"
)
SECRET_KEYS["backup.bucket.secret_key"] = SECRET_KEYS["backup.bucket.access_key"]


def _assign(values: Settings, key: str, value: str) -> None:
    if key in ("name", "target"):
        raise UsageError(f"{key}: it cannot change: create another workspace with `labelspace create NAME`")
    if key in SECRET_KEYS and (key != "scaleway.acme_eab_hmac" or value not in ("-", "")):
        raise UsageError(f"{key}: {SECRET_KEYS[key]}")
    found = _value(values, key, value)
    *path, last = key.split(".")
    for step in path:
        inner = values.get(step, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{key}: {step} has no inner settings")
        values[step] = dict(inner)
        values = values[step]
    values[last] = found


def _value(settings: Settings, key: str, value: str) -> str | None:
    """Return what an assignment sets: None for an optional setting without a value."""
    from labelspace.spec import DEFAULT_TARGET, is_optional

    if (key, value) == ("scaleway.acme_eab_hmac", "-"):
        return _from_stdin(key)
    return None if not value and is_optional(settings.get("target", DEFAULT_TARGET), key) else value
