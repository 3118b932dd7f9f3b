"""The record of CVAT's files: what each volume held when a backup was made, and how a later one compares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .programs import Json
from .session import Ask
from .settings import CVAT

VOLUMES = ("data", "keys")
IDENTITY_FILE = ".labelspace-identity"
"""As in ``migrate.py`` of CVAT's containers."""
IDENTITY = """\
select coalesce(obj_description(to_regclass('public.django_content_type'), 'pg_class'), '')
"""
"""The identity of the volumes that belong to a database; empty for none."""
FORGET_IDENTITY = """\
do $$ begin
    if to_regclass('public.django_content_type') is not null then
        comment on table public.django_content_type is null;
    end if;
end $$;
"""
"""For a database that is restored without files: it takes the volumes that are there."""
LOCAL_MEDIA = """\
select d.id, coalesce(string_agg(distinct i.path, E'\\x01') filter (
    where d.storage_method = 'cache' and not coalesce((to_jsonb(i)->>'is_placeholder')::bool, false)), '')
from engine_data d join engine_task t on t.data_id = d.id left join engine_image i on i.data_id = d.id
where d.storage = 'local' and to_jsonb(d)->>'local_storage_backing_cs_id' is null and d.size > 0
group by d.id order by d.id
"""
"""Tasks whose media CVAT keeps in its data volume, with the paths of their images.

Media of tasks in a share or a cloud storage stay there (cvat/apps/engine/models.py, StorageChoice).
"""


@dataclass(frozen=True)
class Volume:
    """Files of one volume: how many, their bytes, and a digest of their paths and sizes."""

    count: int
    bytes: int
    digest: str
    identity: str = ""
    """The identity in the volume; empty when it had none."""


Record = dict[str, Volume]
"""By the name of the volume."""


@dataclass(frozen=True)
class Media:
    """What a database says of CVAT's files: their volumes' identity, and the answer to ``LOCAL_MEDIA``."""

    identity: str
    rows: list[str]


@dataclass(frozen=True)
class Checked:
    """The files of a backup as a drill found them: the part that was read, how many, and their bytes."""

    files_read: str = ""
    """Empty where backups hold no files."""
    files_count: int | None = None
    files_bytes: int | None = None


def media(ask: Ask) -> Media:
    """Ask a database, also one from before CVAT's first migration."""
    has_tasks = ask("select to_regclass('public.engine_task') is not null").strip() == "t"
    return Media(ask(IDENTITY).strip(), ask(LOCAL_MEDIA).splitlines() if has_tasks else [])


def parse(values: Json) -> Record:
    """A record as it was written."""
    return {name: Volume(**values[name]) for name in VOLUMES if name in values}


def sizes(listing: Iterable[str]) -> dict[str, int]:
    """Bytes of each file under ``CVAT`` by its path, from the lines of ``restic ls --json``."""
    nodes = (json.loads(line) for line in listing)
    return {
        node["path"]: int(node.get("size", 0))
        for node in nodes
        if node.get("type") == "file" and node["path"].startswith(f"{CVAT}/")
    }


def record(found: dict[str, int], identities: dict[str, str]) -> Record:
    """The record of files by their path."""
    return {name: _volume(found, name, identities.get(name, "")) for name in VOLUMES}


def _volume(found: dict[str, int], name: str, identity: str) -> Volume:
    rows = sorted((path, size) for path, size in found.items() if path.startswith(f"{CVAT}/{name}/"))
    digest = hashlib.sha256("".join(f"{path}\0{size}\n" for path, size in rows).encode()).hexdigest()
    return Volume(len(rows), sum(size for _, size in rows), digest, identity)


def identities() -> dict[str, str]:
    """The identity that each volume holds now; empty for none."""
    paths = {name: CVAT / name / IDENTITY_FILE for name in VOLUMES}
    return {name: path.read_text().strip() if path.exists() else "" for name, path in paths.items()}


def shrinkage(before: Record, after: Record, percent: int) -> str:
    """What shrank by more than ``percent``, for people; empty for nothing."""
    return "; ".join(
        _compared(name, one, after[name])
        for name, one in before.items()
        if name in after
        and (_shrank(one.count, after[name].count, percent) or _shrank(one.bytes, after[name].bytes, percent))
    )


def _compared(name: str, before: Volume, after: Volume) -> str:
    now, earlier = (f"{one.count} files of {one.bytes} bytes" for one in (after, before))
    return f"volume {name} holds {now} instead of {earlier}"


def _shrank(before: int, after: int, percent: int) -> bool:
    return after * 100 < before * (100 - percent)


def differences(expected: Record, found: Record) -> str:
    """How the files of a backup differ from its record; empty when they do not."""
    return "; ".join(
        _compared(name, one, found[name])
        for name, one in expected.items()
        if found[name].digest != one.digest
    )


def foreign(recorded: Record, identity: str) -> str:
    """Which volumes were not the ones that the database knows; empty when all were."""
    names = [name for name, one in recorded.items() if identity and one.identity != identity]
    return f"the volume {' and the volume '.join(names)} was empty or another one" if names else ""


def missing_media(rows: Sequence[str], paths: Iterable[str]) -> str:
    """Tasks' media that the database names and ``paths`` lack, for people; empty when all are there.

    ``rows``: the answer to ``LOCAL_MEDIA``.
    """
    known = set(paths)
    folders = {"/".join(path.split("/")[:5]) for path in known}
    missing = []
    for number, _, images in (row.partition("\t") for row in rows):
        folder = f"{CVAT}/data/data/{number}"
        lacks = [image for image in images.split("\x01") if image and f"{folder}/raw/{image}" not in known]
        if lacks or folder not in folders:
            missing.append(f"data {number} ({len(lacks) or 'all'} files)")
    return f"media of tasks are missing: {'; '.join(missing[:5])}" if missing else ""
