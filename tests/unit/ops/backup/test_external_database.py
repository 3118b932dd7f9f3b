"""An external database that is empty where the annotations of a workspace were: nothing begins over it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from labelspace.home import Home
from labelspace.spec import parse_spec
from labelspace_ops.backup import agent, external_database
from labelspace_ops.core.errors import OpsError
from labelspace_ops.stack import state
from labelspace_ops.stack.state import STACK, Resource

URL = {"host": "10.0.0.7", "user": "pets", "password": "s3cret", "name": "pets"}


class _Engine:
    workspace = "pets"

    def network(self, _: str) -> Any:
        return nullcontext("network")


def _check(home: Home, monkeypatch: pytest.MonkeyPatch, *, tables: int, outputs: dict[str, Any]) -> None:
    found = {"version": "15", "tables": tables, "workspace": "pets" if tables else ""}
    monkeypatch.setattr(agent, "run", lambda *_: found)
    monkeypatch.setattr(external_database, "_check_same_kind", lambda *_: None)
    monkeypatch.setattr(state, "names", lambda _: ["pets"])
    monkeypatch.setattr(state, "resources", lambda *_: [Resource(STACK, outputs=outputs)])
    spec = parse_spec({"name": "pets", "buckets": [{"name": "cats"}], "external_database": URL})
    engine: Any = _Engine()
    external_database.check(engine, spec, home, reuse_data=False)


def test_an_emptied_database_is_refused_with_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OpsError, match="is empty, and the annotations of pets were in it") as raised:
        _check(Home(tmp_path), monkeypatch, tables=0, outputs={"url": "http://pets.localhost:8080"})
    assert "`labelspace restore pets`" in str(raised.value)


@pytest.mark.parametrize(("tables", "outputs"), [(0, {}), (90, {"url": "http://pets.localhost:8080"})])
def test_a_workspace_that_was_never_made_and_one_whose_tables_are_there_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tables: int, outputs: dict[str, Any]
) -> None:
    _check(Home(tmp_path), monkeypatch, tables=tables, outputs=outputs)
