"""About, health, share, users and their groups over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from testbed.contract.people import Person
from testbed.contract.stack import ADMIN, LINE, PASSWORD, Stack, until


def test_about_is_public_json(stack: Stack) -> None:
    """cvat/apps/engine/views.py, ServerViewSet.about; AboutSerializer."""
    about = httpx.get(f"{stack.url}/api/server/about").json()
    assert set(about) == {"name", "subtitle", "description", "version", "logo_url"}
    assert about["version"].startswith(f"{LINE.name}.")


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("*/*", 200),
        ("application/vnd.cvat+json", 200),
        ("application/json, text/plain, */*", 200),
        ("application/json", 406),
    ],
)
def test_json_has_a_media_type_of_its_own(stack: Stack, accept: str, code: int) -> None:
    """cvat/apps/engine/renderers.py, CVATAPIRenderer; DEFAULT_RENDERER_CLASSES of cvat/settings/base.py."""
    answer = httpx.get(f"{stack.url}/api/server/about", headers={"Accept": accept})
    assert answer.status_code == code
    assert answer.headers["Content-Type"].startswith("application/vnd.cvat+json")


def test_health_names_every_part(stack: Stack) -> None:
    """cvat/apps/health/backends.py, django-health-check 3.20."""
    answer = stack.health()
    assert answer.status_code == 200
    assert answer.json() == dict.fromkeys(LINE.health, "working")


def test_the_opa_bundle_is_public(stack: Stack) -> None:
    """cvat/apps/iam/views.py, RulesView: OPA fetches it without credentials."""
    answer = httpx.get(f"{stack.url}/api/auth/rules")
    assert answer.status_code == 200
    assert answer.content[:2] == b"\x1f\x8b"


def test_the_share_lists_folders_first_and_every_file(admin: Person) -> None:
    """cvat/apps/engine/views.py, ServerViewSet.share: type by name alone, no filter."""
    root = admin.get("/server/share").json()
    assert [(row["name"], row["type"], row["mime_type"]) for row in root] == [
        (name, "DIR", "DIR") for name in ("broken", "street", "texts", "tiny")
    ]
    street = admin.get("/server/share", directory="/street/").json()
    assert [(row["name"], row["type"], row["mime_type"]) for row in street] == [
        ("größe", "DIR", "DIR"),
        ("a.png", "REG", "image"),
        ("b c.jpg", "REG", "image"),
        ("notes.txt", "REG", "unknown"),
    ]
    assert [row["name"] for row in admin.get("/server/share", directory="street", search="b").json()] == [
        "b c.jpg"
    ]


@pytest.mark.parametrize("directory", ["/none/", "/../", "/street/../../etc"])
def test_the_share_ends_at_its_root(admin: Person, directory: str) -> None:
    """GHSA-3g7v-xjh7-xmqx."""
    answer = admin.get("/server/share", directory=directory)
    assert answer.status_code == 400
    assert "is an invalid directory" in answer.text


def test_login_sets_a_session_and_logout_ends_it(stack: Stack, unique: Callable[[str], str]) -> None:
    """cvat/apps/iam/urls.py, dj-rest-auth."""
    name = unique("visitor")
    assert Person(stack.url).sign_up(name).status_code == 201
    person = Person(stack.url)
    answer = person.log_in(name)
    assert answer.status_code == 200
    assert answer.json()["key"]
    assert {"sessionid", "csrftoken"} <= set(person.http.cookies)
    assert person.me()["username"] == name
    assert person.post("/auth/logout", {}).status_code == 200
    assert person.get("/users/self").status_code == 401


def test_a_wrong_password_is_refused(stack: Stack) -> None:
    answer = Person(stack.url).log_in(ADMIN, "wrong")
    assert answer.status_code == 400
    assert "Unable to log in with provided credentials." in answer.text


def test_a_stranger_is_refused(stack: Stack) -> None:
    for path in ("/users/self", "/users", "/projects", "/tasks", "/server/share"):
        assert Person(stack.url).get(path).status_code == 401, path


def test_a_token_and_basic_credentials_work(stack: Stack) -> None:
    """cvat/settings/base.py, DEFAULT_AUTHENTICATION_CLASSES."""
    key = Person(stack.url).log_in(ADMIN).json()["key"]
    assert Person(stack.url, headers={"Authorization": f"Token {key}"}).me()["username"] == ADMIN
    assert Person(stack.url, auth=(ADMIN, PASSWORD)).me()["username"] == ADMIN


def test_who_signs_up_gets_the_overlays_group(stack: Stack, annotator: Person) -> None:
    """cvat/apps/iam/signals.py reads settings.IAM_DEFAULT_ROLE; the overlay sets ``worker``."""
    me = annotator.me()
    assert (me["groups"], me["is_staff"], me["is_superuser"]) == (["worker"], False, False)


@pytest.mark.parametrize(
    ("name", "password", "field"),
    [
        ("abcd", PASSWORD, "username"),
        ("long-enough", "short", "password1"),
        ("long-enough", "password", "password1"),
        ("long-enough", "1029384756", "password1"),
    ],
)
def test_a_weak_sign_up_is_refused(stack: Stack, name: str, password: str, field: str) -> None:
    """cvat/settings/base.py: ACCOUNT_USERNAME_MIN_LENGTH, AUTH_PASSWORD_VALIDATORS."""
    answer = Person(stack.url).sign_up(name, password)
    assert answer.status_code == 400
    assert field in answer.json() or "non_field_errors" in answer.json()


def test_a_name_is_taken_once(stack: Stack, unique: Callable[[str], str]) -> None:
    name = unique("twice")
    assert Person(stack.url).sign_up(name).status_code == 201
    answer = Person(stack.url).sign_up(name)
    assert answer.status_code == 400
    assert "username" in answer.json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "{NAME}"}, "username"),
        ({"username": "with a blank"}, "username"),
        ({"email": "{NAME}@EXAMPLE.org"}, ""),
        ({"email": ""}, "email"),
        ({"email": "no address"}, "email"),
        ({"password1": "A" * 257, "password2": "A" * 257}, "password1"),
    ],
)
def test_a_sign_up_is_refused_by_name_address_and_length(
    stack: Stack, unique: Callable[[str], str], change: dict[str, str], field: str
) -> None:
    """cvat/apps/iam/serializers.py, RegisterSerializerEx: an address belongs to one account, in any case."""
    name = unique("first")
    assert Person(stack.url).sign_up(name).json()["key"]
    body = {"username": unique("other"), "email": f"{unique('other')}@example.org"}
    body |= {"password1": PASSWORD, "password2": PASSWORD}
    answer = Person(stack.url).post(
        "/auth/register", body | {key: text.replace("{NAME}", name.upper()) for key, text in change.items()}
    )
    assert answer.status_code == 400, answer.text
    refused = answer.json()
    if field:
        assert field in refused
    else:
        assert refused == ["A user is already registered with this e-mail address."]


def test_a_changed_password_is_the_only_one(stack: Stack, unique: Callable[[str], str]) -> None:
    """dj-rest-auth's PasswordChangeView; other sessions end, an API token stays."""
    name, new = unique("changer"), "Another-phrase-of-2026"
    person = Person(stack.url)
    assert person.sign_up(name).status_code == 201
    token, other = person.log_in(name).json()["key"], Person(stack.url).logged_in(name)
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert person.post("/auth/password/change", {**body, "old_password": "wrong"}).status_code == 400
    assert person.post("/auth/password/change", body).status_code == 200
    assert Person(stack.url).log_in(name).status_code == 400
    assert Person(stack.url).log_in(name, new).status_code == 200
    assert other.get("/users/self").status_code == 401
    assert Person(stack.url, headers={"Authorization": f"Token {token}"}).me()["username"] == name


def test_group_worker_has_neither_share_nor_own_work(annotator: Person) -> None:
    """cvat/apps/engine/rules/{server,tasks,projects}.rego."""
    assert annotator.get("/server/share").status_code == 403
    assert annotator.post("/tasks", {"name": "mine", "labels": [{"name": "x"}]}).status_code == 403
    assert annotator.post("/projects", {"name": "mine"}).status_code == 403
    for path in ("/projects", "/tasks", "/jobs"):
        assert annotator.get(path).json()["results"] == []


def test_an_admin_changes_groups_and_others_do_not(admin: Person, annotator: Person) -> None:
    """cvat/apps/engine/rules/users.rego."""
    number = annotator.me()["id"]
    assert annotator.patch(f"/users/{number}", {"groups": ["admin"]}).status_code == 403
    assert admin.patch(f"/users/{number}", {"groups": ["user"]}).status_code == 200
    assert annotator.me()["groups"] == ["user"]
    assert annotator.get("/server/share").status_code == 200
    assert annotator.post("/projects", {"name": "mine"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "code"), [({"groups": ["nobody"]}, 400), ({"nonsense": 1}, 403), ({"username": ADMIN}, 400)]
)
def test_an_account_takes_no_unknown_group_field_or_name(
    admin: Person, annotator: Person, body: dict[str, Any], code: int
) -> None:
    """UserSerializer; cvat/apps/engine/permissions.py, UserPermission."""
    assert admin.patch(f"/users/{annotator.me()['id']}", body).status_code == code
    assert annotator.me()["groups"] == ["worker"]


def test_users_are_listed_for_the_admin_alone(admin: Person, annotator: Person) -> None:
    """cvat/apps/engine/rules/users.rego, filter."""
    me = annotator.me()["username"]
    [own] = annotator.get("/users").json()["results"]
    assert set(own) == {"url", "id", "username", "first_name", "last_name"}
    assert own["username"] == me
    names = {row["username"] for row in admin.get("/users", page_size=500).json()["results"]}
    assert {ADMIN, me} <= names


def test_djangos_own_panel_opens_for_the_admin(stack: Stack, admin: Person) -> None:
    """cvat/urls.py."""
    page = admin.http.get(f"{stack.url}/admin/")
    assert page.status_code == 200
    assert "Site administration" in page.text
    assert httpx.get(f"{stack.url}/admin/").status_code == 302


CLOSED = """
from cvat.settings.production import *
REST_AUTH = {**REST_AUTH, "REGISTER_PERMISSION_CLASSES": ("rest_framework.permissions.IsAdminUser",)}
"""


def test_the_overlay_closes_registration(stack: Stack, unique: Callable[[str], str]) -> None:
    """dj-rest-auth 7.2.0 reads REGISTER_PERMISSION_CLASSES; a second server, the same database."""
    server = stack.backend(
        *("closed", "run", "server", "nginx"),
        files={"/opt/cvat/settings.py": CLOSED},
        ports={"8080/tcp": ("127.0.0.1", None)},
    )
    try:
        until(lambda: server.reload() or server.ports.get("8080/tcp"), "a published port", 30)
        url = f"http://127.0.0.1:{server.ports['8080/tcp'][0]['HostPort']}"
        until(lambda: httpx.get(f"{url}/api/server/about").status_code == 200, "the second server")
        before = stack.sql("select count(*) from auth_user")
        assert Person(url).sign_up(unique("stranger")).status_code == 401
        assert stack.sql("select count(*) from auth_user") == before
        assert Person(url, auth=(ADMIN, PASSWORD)).sign_up(unique("invited")).status_code == 201
    finally:
        server.remove(force=True)
