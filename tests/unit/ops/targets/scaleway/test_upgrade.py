"""When another version of CVAT is rehearsed on Scaleway, and what is said when not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.spec import ScalewaySpec, validate
from labelspace_ops.core.errors import OpsError, UsageError
from labelspace_ops.stack import state
from labelspace_ops.targets.scaleway import ssh as server_ssh
from labelspace_ops.targets.scaleway import upgrade

HOME = Home(Path("/nonexistent"))
OPEN = {"scaleway": {"ssh_cidrs": ["203.0.113.7/32"]}, "running": True}


class Server(server_ssh.Server):
    """Records its commands; ``refuses`` those that begin so."""

    def __init__(self, refuses: str = "") -> None:
        super().__init__("pets", "203.0.113.10", ())
        object.__setattr__(self, "refuses", refuses)
        object.__setattr__(self, "commands", [])

    def run(self, *command: str, ends: tuple[int, ...] = (0,)) -> str:
        self.commands.append(" ".join(command[:2]))  # type: ignore[attr-defined]
        if self.refuses == "bash" == command[0]:  # type: ignore[attr-defined]
            raise OpsError("pets: it would lose rows")
        if self.refuses == command[0]:  # type: ignore[attr-defined]
            return json.dumps({"failed": "it would lose rows: public.a: 1 instead of 2"})
        return json.dumps({"id": "2026-11-26T10-00-00Z"})


def spec_of(version: str) -> ScalewaySpec:
    values = {"name": "pets", "target": "scaleway", "buckets": [{"name": "street"}]}
    return validate(ScalewaySpec, {**values, "cvat_version": version})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(upgrade, "message", lines.append)
    return lines


def given(monkeypatch: pytest.MonkeyPatch, server: Server, settings: dict[str, Any] = OPEN) -> None:
    """A workspace of 2.73.1 with these settings, and its server."""
    outputs = {"cvat_version": "2.73.1", "settings": json.dumps(settings)}
    monkeypatch.setattr(
        state, "resources", lambda *_: [state.Resource("pulumi:pulumi:Stack", outputs=outputs)]
    )
    monkeypatch.setattr(server_ssh, "server_of", lambda *_: server)


def test_another_version_is_rehearsed_and_the_way_back_said(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    server = Server()
    given(monkeypatch, server)
    monkeypatch.setattr(Home, "find", lambda: HOME)
    upgrade.hook(spec_of("2.73.2"))
    assert server.commands == ["bash -c", "labelspace-backup rehearse"]  # type: ignore[attr-defined]
    assert "labelspace restore pets --backup 2026-11-26T10-00-00Z" in said[-1]


def test_the_same_version_asks_nobody(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    server = Server()
    given(monkeypatch, server)
    upgrade.before(spec_of("2.73.1"), HOME)
    assert (server.commands, said) == ([], [])  # type: ignore[attr-defined]


def test_a_rehearsal_that_fails_refuses_the_update(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    given(monkeypatch, Server(refuses="labelspace-backup"))
    with pytest.raises(
        OpsError, match=r"rehearsal failed: it would lose rows.*Nothing was changed: pets stays at 2\.73\.1"
    ):
        upgrade.before(spec_of("2.73.2"), HOME)


def test_an_older_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Server())
    with pytest.raises(UsageError, match="no way back"):
        upgrade.before(spec_of("2.73.0"), HOME)


@pytest.mark.parametrize(
    ("settings", "server", "why"),
    [
        ({"scaleway": {}}, Server(), "scaleway.ssh_cidrs is empty"),
        ({**OPEN, "running": False}, Server(), "it is stopped"),
        (OPEN, Server(refuses="bash"), "would lose rows"),
    ],
)
def test_where_it_cannot_be_rehearsed_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
    said: list[str],
    settings: dict[str, Any],
    server: Server,
    why: str,
) -> None:
    given(monkeypatch, server, settings)
    upgrade.before(spec_of("2.73.2"), HOME)
    assert "2.73.1 -> 2.73.2: not rehearsed" in said[-1]
    assert why in said[-1]
    assert "labelspace-backup rehearse" not in server.commands  # type: ignore[attr-defined]


def test_a_workspace_that_is_new_has_nothing_to_rehearse(said: list[str]) -> None:
    upgrade.before(spec_of("2.73.2"), HOME)
    assert said == []
