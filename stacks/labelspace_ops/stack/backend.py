"""Where Pulumi keeps what is deployed: this machine's home, or a bucket that a team shares."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from labelspace.home import Home
from labelspace_ops.core.errors import UsageError

SCHEMES = ("s3", "gs", "azblob", "file")
"""What Pulumi's own backends for a bucket or a folder are called; each locks a stack while it is changed."""


def home_url(home: Home) -> str:
    """The folder of this machine's home.

    Without ``metadata=skip`` Pulumi writes a second file in place beside each; one that a kill tore ends
    every command with "EOF".
    """
    return f"file://{home.state}?metadata=skip"


def current_url(home: Home) -> str:
    """The URL of the last login, else this machine's own."""
    note = _note(home)
    kept = note.read_text().strip() if note.is_file() else ""
    return kept or home_url(home)


def state_folder(home: Home) -> Path | None:
    """The folder that holds the state; None when it is in a bucket, or named in Pulumi's own short way."""
    parts = urlsplit(current_url(home))
    return Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc else None


def stack_names(folder: Path) -> list[str]:
    """The names of the stacks that Pulumi keeps in a folder: ten times as fast as to ask it.

    Source: pkg/backend/diy of Pulumi: a file for each, ``.pulumi/stacks/<project>/<stack>.json``, or with
    ``.gz`` where state is compressed.
    """
    return sorted({file.name.partition(".json")[0] for file in _files(folder, "*")})


def raw_state(stack: str, home: Home) -> bytes:
    """What Pulumi keeps of a stack, to see whether it has changed; empty when it is elsewhere."""
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
    if url:
        _note(home).write_text(f"{url}\n")
    else:
        _note(home).unlink(missing_ok=True)


def _note(home: Home) -> Path:
    return home.root / "backend"
