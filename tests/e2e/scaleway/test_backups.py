"""Who answers for a workspace's backups, and what commands say of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labelspace.home import Home
from labelspace_ops.backup import restore
from labelspace_ops.backup.base import Backups, LocalBackups, RestorePoint
from labelspace_ops.backup.formatting import proof_summary
from labelspace_ops.backup.models import BackupRow, Proof, Restored
from labelspace_ops.cli import main as cli_main  # noqa: F401 - importing cli registers the commands
from labelspace_ops.cli.app import app
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import automation as stack
from labelspace_ops.targets.scaleway import ssh as server_ssh
from labelspace_ops.targets.scaleway.backups import Managed
from labelspace_ops.targets.scaleway.server_database import RemoteBackups
from labelspace_ops.workspaces import backups as workspace_backups

OLDER, NEWER, LAST = "2026-11-24T10-00-00Z", "2026-11-24T11-00-00Z", "2026-11-24T12-00-00Z"
OPEN = {"target": "scaleway", "scaleway": {"ssh_cidrs": ["203.0.113.7/32"]}}
CLOSED = {"target": "scaleway", "scaleway": {"database": "server"}}
STOPPED = {**OPEN, "running": False}
PROOF = {"ok": True, "reason": "", "tables": 90, "rows": 1234, "seconds": 9.5, "when": "2026-11-24"}


class _Machine(server_ssh.Server):
    """A server that keeps dumps, and the commands that it was given."""

    made: tuple[str, ...] = (OLDER, NEWER)
    commands: tuple[str, ...] = ()

    def run(self, *command: str, ends: tuple[int, ...] = (0,)) -> str:
        _Machine.commands = (*self.commands, " ".join(command))
        if command[:2] == ("labelspace-backup", "backup"):
            _Machine.made = (*self.made, LAST)
            return json.dumps({"id": LAST, "kind": "dump", "size": 10, "added": 10})
        return json.dumps([_row(one, "dump", _time(one)).as_json() for one in self.made])


def _row(label: str, kind: str, when: str) -> BackupRow:
    return BackupRow(
        id=label, kind=kind, when=when, size=2 * 10**6, added=10, complete=True, timeline=0, rows=None,
        files=False, latest={}, proof=None,
    )  # fmt: skip


def _time(label: str) -> str:
    return datetime.strptime(label, "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC).isoformat()


@pytest.fixture
def managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Managed:
    """Of a workspace whose server is let into."""
    monkeypatch.setattr(_Machine, "made", (OLDER, NEWER))
    monkeypatch.setattr(_Machine, "commands", ())
    monkeypatch.setattr(server_ssh, "server_of", lambda name, _: _Machine(name, "203.0.113.10", ()))
    return Managed("pets", Home(tmp_path), OPEN)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, LocalBackups),
        ({"target": "local"}, LocalBackups),
        ({"target": "scaleway"}, Managed),
        ({"target": "scaleway", "scaleway": {"database": "managed"}}, Managed),
        (CLOSED, RemoteBackups),
    ],
)
def test_target_and_kind_of_database_say_who_answers(
    settings: dict[str, Any], kind: type[Backups], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "select", lambda *_: None)
    monkeypatch.setattr(stack, "read_settings", lambda _: settings)
    assert type(workspace_backups.for_workspace("pets", Home(tmp_path))) is kind


def test_a_restore_of_a_managed_database_says_its_dump_and_takes_that(managed: Managed) -> None:
    choice = managed.chosen(to="2026-11-24T11:30:00Z")
    assert choice.text == f"{NEWER} (what was annotated since is lost)"
    assert choice.flags == ["--backup", NEWER]
    managed.take()  # a newer one, made while somebody was asked
    done = managed.restore(choice)
    assert f"labelspace-restore {NEWER}.dump" in _Machine.commands
    assert (done.from_backup, done.kept) == (NEWER, LAST)


def test_only_dumps_can_be_taken_by_a_restore(managed: Managed) -> None:
    kinds = [_row(kind, kind, "2026-11-24T10:00:00+00:00") for kind in ("dump", "snapshot")]
    assert [managed.takes(one) for one in kinds] == [True, False]


def test_a_workspace_without_dumps_says_so(managed: Managed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Machine, "made", ())
    with pytest.raises(UsageError, match="pets: there is no dump: see `labelspace backups pets`"):
        managed.chosen()


@pytest.mark.parametrize("kind", [Managed, RemoteBackups])
def test_nobody_is_asked_about_a_restore_that_could_not_begin(kind: type[Backups], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"scaleway\.ssh_cidrs is empty"):
        kind("pets", Home(tmp_path), CLOSED).chosen()
    with pytest.raises(OpsError, match="it is stopped: run `labelspace start pets` first"):
        kind("pets", Home(tmp_path), STOPPED).chosen()


def test_what_was_chosen_is_what_this_machine_restores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore, "restore", lambda *_, **given: given)
    kept = LocalBackups("pets", Home(tmp_path), {})
    assert kept.chosen().text == "the last archived change"
    assert kept.chosen().flags == []
    choice = kept.chosen(to="2026-11-24T11:30:00Z")
    assert choice.flags == ["--to", choice.text] == ["--to", "2026-11-24T11:30:00Z"]
    given: Any = kept.restore(choice)
    assert given == {"to": "2026-11-24T11:30:00Z", "backup": ""}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"backup": "B", "missing": [], "files_read": "9/9"},
            "B proven: 1234 rows in 90 tables as recorded, migrations complete,"
            " CVAT's files read (9/9), 9.5 s",
        ),
        (
            {"backup": "B", "missing": ["a.1", "a.2"], "files_read": "1/9"},
            "B proven: 1234 rows in 90 tables as recorded, 2 migrations older than its CVAT,"
            " CVAT's files read (1/9), 9.5 s",
        ),
        ({"backup": NEWER, "recorded": True}, f"{NEWER} proven: 1234 rows in 90 tables as recorded, 9.5 s"),
        (
            {"backup": NEWER, "recorded": False},
            f"{NEWER} restored: 1234 rows in 90 tables, no record to compare with, 9.5 s",
        ),
    ],
)
def test_a_proof_says_what_it_was_compared_with(found: dict[str, Any], said: str) -> None:
    assert proof_summary(Proof.read({**PROOF, **found})) == said


class _Kept(Managed):
    """Two copies, of which nothing has to be asked."""

    asked = ""

    def listing(self) -> list[BackupRow]:
        times = {"snapshot": "2026-11-23T10:00:00+00:00", "dump": "2026-11-24T10:00:00+00:00"}
        return [_row(kind, kind, when) for kind, when in times.items()]

    def chosen(self, *, to: str = "", backup: str = "") -> RestorePoint:
        return RestorePoint(f"{to or backup} (what was annotated since is lost)", to, backup)

    def restore(self, choice: RestorePoint) -> Restored:
        _Kept.asked = choice.to or choice.backup
        return Restored(name="pets", to="T", from_backup="B", last_change=None, lost="little", kept=LAST)

    def drill(self, backup: str = "") -> Proof:
        return Proof.read({**PROOF, "backup": backup, "ok": False, "reason": "rows differ"})


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr(workspace_backups, "for_workspace", lambda name, _: _Kept(name, Home(tmp_path), OPEN))
    monkeypatch.setattr(_Kept, "asked", "")
    return CliRunner()


def test_the_list_says_what_can_be_restored(command: CliRunner) -> None:
    done = command.invoke(app, ["backups", "pets"])
    assert done.stdout.splitlines() == [
        f"  {'snapshot':<33}  2026-11-23T10:00:00+00:00  snapshot      2.0 MB  database alone",
        f"  {'dump':<33}  2026-11-24T10:00:00+00:00  dump          2.0 MB  database alone, not proven yet",
    ]
    assert done.stderr == "restorable: the moments above\n"
    said = json.loads(command.invoke(app, ["backups", "pets", "--json"]).stdout)
    assert said["restorable_from"] == "2026-11-23T10:00:00+00:00"


def test_a_restore_asks_with_what_it_takes_and_loses(command: CliRunner) -> None:
    left = command.invoke(app, ["restore", "pets", "--backup", NEWER], input="n\n")
    asked = f"Stop pets and restore its annotations to {NEWER} (what was annotated since is lost)?"
    assert asked in left.output
    assert (left.exit_code, _Kept.asked) == (1, "")
    done = command.invoke(app, ["restore", "pets", "--backup", NEWER], input="y\n")
    assert _Kept.asked == NEWER
    assert f"undo  labelspace restore pets --backup {LAST}" in done.output


def test_a_drill_that_fails_ends_the_command_with_its_reason(command: CliRunner) -> None:
    done = command.invoke(app, ["drill", "pets", "--backup", NEWER])
    assert str(done.exception) == f"pets: the drill of {NEWER} failed: rows differ"
