"""What acts inside a server at Scaleway, up to the server; inside one: tests of the booted server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from labelspace.home import Home
from labelspace_ops.backup.models import BackupRow, Proof
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.targets.scaleway import formatting
from labelspace_ops.targets.scaleway import ssh as server_ssh

DUMPS = ("dumps/2026-11-24T11-00-00Z.dump", "dumps/2026-11-24T10-00-00Z.dump", "notes.txt")
SIZES = (20, 10, 5)
LISTED = [
    row.as_json()
    for key, size in sorted(zip(DUMPS, SIZES, strict=True))
    for row in formatting.dump_row(key, size)
]
OLDER = BackupRow.read(LISTED[0])


class _Answers(server_ssh.Server):
    """A server that lists these dumps."""

    def run(self, *command: str, ends: tuple[int, ...] = (0,)) -> str:
        return json.dumps(LISTED)


@pytest.fixture
def server() -> server_ssh.Server:
    return _Answers("pets", "203.0.113.10", ())


def test_dumps_of_the_server_are_listed(server: server_ssh.Server) -> None:
    rows = server_ssh.dumps(server)
    assert [(row.id, row.size) for row in rows] == [
        ("2026-11-24T10-00-00Z", 10),
        ("2026-11-24T11-00-00Z", 20),
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "2026-11-24T11-00-00Z"),
        ({"to": "2026-11-24T10:59:00Z"}, "2026-11-24T10-00-00Z"),
        ({"backup": "2026-11-24T10-00-00Z"}, "2026-11-24T10-00-00Z"),
    ],
)
def test_the_nearest_dump_before_a_moment_is_taken(
    server: server_ssh.Server, asked: dict[str, Any], found: str
) -> None:
    assert server_ssh.select_dump(server, **asked).id == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"to": "2026-11-24T09:00:00Z"}, "labelspace backups pets"),
        ({"to": "yesterday"}, "is no time"),
        ({"backup": "none"}, "there is no backup 'none'"),
        ({"to": "2026-11-24T10:00:00Z", "backup": "x"}, "give one of them"),
    ],
)
def test_what_is_not_there_is_refused(server: server_ssh.Server, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        server_ssh.select_dump(server, **asked)


def test_a_closed_port_says_what_to_set() -> None:
    closed = server_ssh.Server("pets", "127.0.0.1", ("-o", "BatchMode=yes", "-p", "1"))
    with pytest.raises(OpsError, match=r"scaleway\.ssh_cidrs"):
        closed.run("true")


def test_an_engine_behind_a_closed_port_says_what_to_set_and_leaves_no_process() -> None:
    closed = server_ssh.Server("pets", "127.0.0.1", ("-o", "BatchMode=yes", "-p", "1"))
    with pytest.raises(server_ssh.UnreachableError, match=r"scaleway\.ssh_cidrs"), closed.engine():
        pytest.fail("nobody answers there")
    assert not [one for one in psutil.Process().children() if one.name() == "ssh"]


def test_a_drill_that_fails_is_reported_with_its_reason(
    server: server_ssh.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Answers, "run", _refuse("pg_restore: error"))
    proof = server_ssh.drill(server, OLDER)
    assert (proof.ok, proof.reason) == (False, "pg_restore: error")


def test_a_proof_of_a_failure_is_handed_on_whole(
    server: server_ssh.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = _proof("2026-11-24", ok=False)
    monkeypatch.setattr(_Answers, "run", lambda *_, ends: json.dumps({**proof.as_json(), "applied": ["a.1"]}))
    assert server_ssh.drill(server, OLDER) == proof


def _proof(when: str, *, ok: bool) -> Proof:
    reason = "" if ok else "rows differ: public.label: 1 instead of 2"
    return Proof(backup=OLDER.id, when=when, ok=ok, reason=reason, seconds=1)


def test_each_dump_is_listed_with_its_newest_proof() -> None:
    made = [_proof(when, ok=ok) for when, ok in (("2", True), ("1", False))]
    proofs = formatting.read_proofs(json.dumps(one.as_json()) for one in made)
    dumps = [row for key in DUMPS for row in formatting.dump_row(key, 10)]
    listed = {row.id: row.proof for row in formatting.with_proofs(dumps, proofs)}
    assert listed == {"2026-11-24T10-00-00Z": made[0], "2026-11-24T11-00-00Z": None}


def test_what_the_server_found_of_its_mounts_is_read(
    server: server_ssh.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "bucket street is not mounted\nbucket street cannot be listed\nbucket fields cannot be listed\n"
    monkeypatch.setattr(_Answers, "run", lambda *_: f"{said}the last dump of the annotations failed\n")
    assert server_ssh.mounts(server) == {"street": "cannot be listed", "fields": "cannot be listed"}


def test_what_is_no_proof_is_said() -> None:
    with pytest.raises(OpsError, match="proofs/"):
        formatting.read_proofs(["{"])


def _refuse(why: str) -> Callable[..., str]:
    def run(_: server_ssh.Server, *__: str, **___: object) -> str:
        raise OpsError(why)

    return run


def test_a_workspace_has_one_key_that_nobody_else_reads(tmp_path: Path) -> None:
    home = Home(tmp_path)
    public = server_ssh.public_key("pets", home)
    assert public.startswith("ssh-ed25519 ")
    assert server_ssh.public_key("pets", home) == public
    assert home.server_key("pets").stat().st_mode & 0o777 == 0o600


def test_a_preview_makes_no_key(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert server_ssh.known_public_key("pets", home).startswith("ssh-ed25519 ")
    assert not home.root.exists()
