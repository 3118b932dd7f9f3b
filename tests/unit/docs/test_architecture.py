"""The components and resources that docs/architecture.md lists are those that the code declares."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.cloud import ACCOUNT
from tests.unit.components.test_options import CLOUD, LOCAL, WITH_DATABASE, declared

from labelspace import Workspace

PAGE = Path(__file__).resolve().parents[3] / "docs" / "architecture.md"
TARGETS = {
    "Target `local`": LOCAL,
    "Target `scaleway`, `database: managed`": CLOUD,
    "Target `scaleway`, `database: server`": WITH_DATABASE,
}
BUCKETS = {"one": "BUCKET", "far": "REMOTE"}


def _kind(token: str) -> str:
    return token.rpartition(":")[2]


def _part(name: str) -> str:
    """The name without that of the workspace, and with placeholders for buckets and the account."""
    part = name.removeprefix("w-")
    if "labelspace-w-" in part:
        return part.rpartition("-")[2]
    words = part.split("-")
    return "-".join(BUCKETS.get(word, word) for word in words)


def _row(component: str, children: dict[str, list[str]]) -> str:
    resources = "; ".join(f"{kind} {', '.join(sorted(names))}" for kind, names in sorted(children.items()))
    return f"| `{component}` | {resources} |"


def table(settings: dict[str, Any]) -> list[str]:
    """Rows of the page: each component with the resources that it declares, by kind and name."""
    rows: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in declared(lambda opts: Workspace("w", opts, **settings)).requests:
        if one.custom:
            parent = _kind(one.parent.split("::")[2].rpartition("$")[2])
            rows[parent][_kind(one.type)].append(_part(one.name))
    return [_row(component, rows[component]) for component in sorted(rows)]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))
    for key, value in ACCOUNT.items():
        monkeypatch.setenv(key, value)


def test_the_picture_shows_every_container_of_the_local_target() -> None:
    containers = re.findall(r"Container ([^;|]+?)(?:;| \|)", "\n".join(table(LOCAL)))
    names = [name for group in containers for name in group.split(", ")]
    picture = PAGE.read_text().partition("```mermaid\n")[2].partition("```")[0]
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", picture)] == []


@pytest.mark.parametrize("title", TARGETS)
def test_the_page_lists_what_the_code_declares(title: str) -> None:
    expected = ["| component | resources |", "|---|---|", *table(TARGETS[title])]
    section = PAGE.read_text().partition(f"**{title}**\n\n")[2].partition("\n\n")[0]
    assert section.splitlines() == expected
