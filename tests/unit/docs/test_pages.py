"""Pages for people: links resolve, and the architecture page names every package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import vocabulary

import labelspace_ops

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"`((?:bench|components|docs|examples|stacks|testbed|tests)/[^`\s]+)`")
OTHERS = ("docs/reference/", "docs/audit.md")
"""Pages that are not checked for old words: generated from the code, or not rewritten yet."""
REWRITTEN = [page for page in PAGES if not str(page.relative_to(ROOT)).startswith(OTHERS)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    targets = [match[1] for match in LINK.finditer(page.read_text()) if "://" not in match[1]]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_anchors_resolve(page: Path) -> None:
    links = [match for match in LINK.finditer(page.read_text()) if match[2] and "://" not in match[1]]
    pages = {link[0]: page.parent / link[1] if link[1] else page for link in links}
    missing = [link[0] for link in links if link[2] not in _anchors(pages[link[0]])]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_of_the_repository_that_a_page_names_exist(page: Path) -> None:
    found = [name.partition("::")[0] for name in CODE.findall(page.read_text())]
    named = [name for name in found if not re.search(r"[<>*]|NAME", name)]
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", REWRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_use_the_words_of_the_project(page: Path) -> None:
    assert vocabulary.uses(str(page.relative_to(ROOT))) == []


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


def test_the_page_of_scaleway_says_at_its_top_that_it_never_ran_there() -> None:
    top = (ROOT / "docs" / "scaleway.md").read_text().partition("\n## ")[0]
    assert "**This target has run against doubles, never against Scaleway itself.**" in top
