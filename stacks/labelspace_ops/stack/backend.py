"""Where Pulumi keeps what is deployed: this machine's home, or a bucket that a team shares."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError
from labelspace_ops.stack.project import Project, find, read

SCHEMES = ("s3", "gs", "azblob", "file")
"""What Pulumi's own backends for a bucket or a folder are called; each locks a stack while it is changed."""


def local_url(project: Project) -> str:
    """The folder of this machine that holds the project's state.

    Without ``metadata=skip`` Pulumi writes a second file next to each, in place; one that a kill tore ends
    every command with "EOF".
    """
    return f"file://{project.state}?metadata=skip"


def current_url(home: Home) -> str:
    """The URL of the current project."""
    return project_url(find(home))


def project_url(project: Project) -> str:
    """The URL that ``Pulumi.yaml`` names, else the one of the last login, else a folder of this machine."""
    if url := fixed_url(project):
        return url
    saved = project.login.read_text().strip() if project.login.is_file() else ""
    return saved or local_url(project)


def fixed_url(project: Project) -> str:
    """The ``backend.url`` of the project's ``Pulumi.yaml``; empty when there is none."""
    backend = read(project.folder).get("backend")
    return str(backend.get("url") or "") if isinstance(backend, dict) else ""


def state_folder(home: Home) -> Path | None:
    """The folder that holds the state; None when it is in a bucket, or named in Pulumi's own short way."""
    return folder_of(current_url(home))


def folder_of(url: str) -> Path | None:
    """The folder that a URL names; None for a bucket, and for Pulumi's own short way to name a folder."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc else None


def stack_names(folder: Path) -> list[str]:
    """The names of the stacks that Pulumi keeps in a folder: ten times as fast as to ask it.

    Source: pkg/backend/diy of Pulumi: a file for each, ``.pulumi/stacks/<project>/<stack>.json``, or with
    ``.gz`` where state is compressed.
    """
    return sorted({file.name.partition(".json")[0] for file in _files(folder, "*")})


def raw_state(stack: str, home: Home) -> bytes:
    """The stored state of a stack, to detect changes; empty when it is not in a folder."""
    place = state_folder(home)
    return b"".join(file.read_bytes() for file in _files(place, stack)) if place else b""


def _files(folder: Path, stack: str) -> list[Path]:
    files = (folder / ".pulumi" / "stacks" / "labelspace").glob(f"{stack}.json*")
    return [file for file in files if file.suffix in (".json", ".gz")]


def validate_url(url: str) -> str:
    """``url`` as it is; raises ``UsageError`` for one that is no place of state or holds a secret."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not (parts.netloc or parts.path.strip("/")):
        known = "s3://BUCKET?region=REGION&endpoint=https://HOST"
        raise UsageError(f"url: {url!r} is refused: give a bucket such as {known}, or --local")
    if parts.username or parts.password:
        raise UsageError("url: it holds a password: take it out, and set AWS_ACCESS_KEY_ID and"
                         " AWS_SECRET_ACCESS_KEY in the environment")  # fmt: skip
    return url


def save_url(home: Home, url: str) -> None:
    """Keep ``url`` for later commands; an empty one forgets the login."""
    login = find(home).login
    if url:
        login.write_text(f"{url}\n")
    else:
        login.unlink(missing_ok=True)
