"""What health says while a part is missing; last, as each takes something away from the stack for a while."""

from __future__ import annotations

import httpx
import pytest

from testbed.contract.people import Person
from testbed.contract.stack import ADMIN, Stack, until


def _broken(stack: Stack, part: str) -> bool:
    answer = stack.health()
    assert answer.status_code == 500, answer.text
    assert answer.json()[part] != "working"
    return True


@pytest.mark.parametrize(
    ("container", "part", "about"),
    [
        ("opa", "OPAHealthCheck", 200),
        ("cvat-cache", "Cache backend: media", 200),
        ("cvat-redis", "Cache backend: default", 500),  # it counts the calls of strangers
    ],
)
def test_health_is_500_and_names_what_is_missing(stack: Stack, container: str, part: str, about: int) -> None:
    """cvat/apps/health/backends.py; DEFAULT_THROTTLE_CLASSES of cvat/settings/base.py."""
    with stack.stopped(container):
        until(lambda: _broken(stack, part), f"health without {container}", 60)
        assert httpx.get(f"{stack.url}/api/server/about", timeout=60).status_code == about
    until(stack.healthy, f"health with {container} again")


def test_without_opa_login_works_and_the_rest_waits(stack: Stack) -> None:
    """cvat/apps/iam/permissions.py asks OPA for each call."""
    with stack.stopped("opa"):
        person = Person(stack.url).logged_in(ADMIN)
        assert person.get("/projects").status_code == 500
    until(lambda: person.get("/projects").status_code == 200, "projects with OPA again", 60)
    until(stack.healthy, "health with OPA again")
