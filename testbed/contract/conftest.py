"""One stack for all checks; each check makes its own people, projects and tasks."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cvat_sdk import make_client
from PIL import Image

from testbed.contract.people import Person
from testbed.contract.stack import ADMIN, PASSWORD, Stack, until

IMAGES = ("street/a.png", "street/b c.jpg", "street/größe/c.png", "tiny/1.png")


@pytest.fixture(scope="package")
def share(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images, a text file next to them, another alone, and a broken image."""
    root = tmp_path_factory.mktemp("share")
    for number, name in enumerate(IMAGES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (40 * number, 90, 120)).save(root / name)
    for name, text in (("street/notes.txt", "no image"), ("texts/only.txt", "alone"), ("broken/x.jpg", "no")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    return root


@pytest.fixture(scope="package")
def early(share: Path) -> Iterator[Stack]:
    """The database and the caches, and nothing else yet: no table, no server."""
    stack = Stack(share)
    try:
        stack.start_database()
        ask = ["pg_isready", "-h", "127.0.0.1", "-U", "cvat"]
        until(lambda: stack.get("cvat-db").exec_run(ask)[0] == 0, "the database")
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="package")
def too_early(early: Stack) -> tuple[int, str]:
    """``createsuperuser`` before any migration: its exit code and what it said."""
    return early.django("createsuperuser", "--noinput", **superuser("hasty-admin"))


def superuser(name: str) -> dict[str, str]:
    return {
        "DJANGO_SUPERUSER_USERNAME": name,
        "DJANGO_SUPERUSER_EMAIL": f"{name}@example.org",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }


@pytest.fixture(scope="package")
def stack(early: Stack, too_early: tuple[int, str]) -> Stack:
    """The whole CVAT, ready, with its admin."""
    assert too_early[0] != 0
    early.start_server()
    code, said = early.django("createsuperuser", "--noinput", **superuser(ADMIN))
    assert code == 0, said
    return early


@pytest.fixture(scope="package")
def admin(stack: Stack) -> Person:
    return Person(stack.url).logged_in(ADMIN)


@pytest.fixture(scope="package")
def client(stack: Stack) -> Iterator[Any]:
    """cvat-sdk's client of the admin."""
    with make_client(stack.url, credentials=(ADMIN, PASSWORD)) as made:
        made.config.status_check_period = 0.2
        yield made


@pytest.fixture
def annotator(stack: Stack) -> Person:
    """A new account of group ``worker``, logged in."""
    person = Person(stack.url)
    name = f"annotator-{secrets.token_hex(3)}"
    assert person.sign_up(name).status_code == 201
    return Person(stack.url).logged_in(name)


@pytest.fixture
def unique() -> Callable[[str], str]:
    return lambda word: f"{word}-{secrets.token_hex(3)}"
