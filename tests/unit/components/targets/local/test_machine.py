"""The machine that a stack records: compared by an update, never written to by a preview."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from tests.unit.components.test_options import LOCAL, Machine

from labelspace import Workspace, parse_spec
from labelspace.home import Home
from labelspace.targets.local.machine import RECORD, Facts, difference

HERE = Facts("/home/.labelspace", "0123456789abcdef", selinux=False, podman=False, socket="/run/docker.sock")


class Recorded(Machine):
    """Answers as an engine whose stack recorded ``facts`` before."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity, outputs = super().new_resource(args)
        return identity, {**outputs, "output": self.facts} if args.name == "w-machine" else outputs


def _run(facts: dict[str, Any], *, preview: bool) -> None:
    pulumi.runtime.set_mocks(Recorded(facts), project="labelspace", stack="w", preview=preview)

    @pulumi.runtime.test  # type: ignore[untyped-decorator] # the SDK leaves it without types
    def program() -> Any:
        return Workspace("w", parse_spec(LOCAL)).url

    program()


def _recorded(**changes: Any) -> dict[str, Any]:
    found = Facts.here()
    return {**vars(found), **changes}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(RECORD, raising=False)
    return Home(tmp_path / "home")


def test_a_preview_on_another_machine_passes_and_writes_nothing(home: Home) -> None:
    _run(_recorded(home="/other", home_id="f" * 16), preview=True)
    assert not home.root.exists()


def test_an_update_from_another_home_is_refused_and_leaves_no_key(home: Home) -> None:
    with pytest.raises(
        pulumi.RunError, match=r"w: it was made from another home, /other .*LABELSPACE_RECORD=w"
    ):
        _run(_recorded(home="/other", home_id="f" * 16), preview=False)
    assert not home.backup_key("w").exists()


def test_an_update_from_the_same_home_stores_the_key(home: Home) -> None:
    _run(_recorded(home_id=home.made_identity()), preview=False)
    assert len(home.stored_backup_key("w")) > 32


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"home": "/srv/labelspace"}, "from another home, /srv/labelspace"),
        ({"home_id": "f" * 16}, "from another home"),
        ({"socket": "/run/user/1000/docker.sock"}, "on another engine, at /run/user/1000/docker.sock"),
        ({"podman": True}, "on another engine"),
        ({"selinux": True}, "with SELinux on"),
    ],
)
def test_what_differs_is_named_with_a_next_step(changes: dict[str, Any], reported: str) -> None:
    problem = difference("street", replace(HERE, **changes), HERE)
    assert problem.startswith(f"street: it was made {reported}")
    assert f"set {RECORD}=street for one update" in problem


def test_the_same_machine_differs_in_nothing() -> None:
    assert difference("street", HERE, HERE) == ""
