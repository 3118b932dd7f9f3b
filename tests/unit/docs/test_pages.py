"""Pages for people: links resolve, and the architecture page names every package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import labelspace_ops

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    targets = [match[1] for match in LINK.finditer(page.read_text()) if "://" not in match[1]]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_the_architecture_page_names_every_package_in_the_order_of_the_layers() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = re.search(r"^\s*(cli --> .*)$", page, re.M)
    assert drawn
    folder = Path(labelspace_ops.__file__).parent
    packages = {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}
    order = drawn[1].split(" --> ")
    assert set(order) == packages
    layers = re.search(
        r'containers = \["labelspace_ops"\].*?layers = \[(.*?)\]', (ROOT / "pyproject.toml").read_text(), re.S
    )
    assert layers
    assert re.findall(r'"(\w+)"', layers[1]) == order
