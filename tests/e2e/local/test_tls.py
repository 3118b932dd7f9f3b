"""A workspace that serves HTTPS with a certificate of the user's own."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from tests.authority import Authority
from tests.e2e.browser import chromium
from tests.e2e.console.hands import find, says
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, visitor_at

NAME, HOST = "with-https", "labels.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(scope="module")
def pair(authority: Authority) -> tuple[Path, Path]:
    return authority.sign("labels", f"DNS:{HOST}", days=10)


@pytest.fixture(scope="module")
def secured(lab: Lab, pair: tuple[Path, Path]) -> Iterator[Any]:
    settings = {"bind_address": "0.0.0.0", "tls.certificate": pair[0], "tls.key": pair[1]}
    settings["tls.port"] = str(secrets.randbelow(1000) + 33000)
    flags = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    try:
        yield lab.create(NAME, "--bucket", NAME, *flags)
    finally:
        lab.run("delete", NAME, "--purge", stdin=f"{NAME}\n")


def _port(secured: Any) -> int:
    return int(secured["url"].rpartition(":")[2])


@pytest.fixture
def person(secured: Any, authority: Authority) -> Visitor:
    return visitor_at(secured["url"], authority.pem)


def test_pages_sign_in_and_links_work_over_https(secured: Any, person: Visitor) -> None:
    assert secured["url"].startswith(f"https://{HOST}:")
    assert person.get("/").status_code == 200
    body = {"username": ADMIN, "password": PASSWORD}
    referer = {"Referer": f"{secured['url']}/"}
    assert person.http.post("/api/auth/login", json=body, headers=referer).status_code == 200
    token = {"X-CSRFToken": person.http.cookies["csrftoken"], **referer}
    for number in range(2):
        made = person.http.post("/api/projects", json={"name": f"https {number}"}, headers=token)
        assert made.status_code == 201, made.text
    assert person.get("/api/projects?page_size=1").json()["next"].startswith(secured["url"])


def test_a_browser_signs_in(secured: Any) -> None:
    flags = (f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--ignore-certificate-errors")
    with chromium(1200, 900, *flags) as at:
        at.get(f"{secured['url']}/admin/login/?next=/admin/auth/user/")
        find(at, "[name=username]").send_keys(ADMIN)
        find(at, "[name=password]").send_keys(PASSWORD)
        find(at, "[type=submit]").click()
        says(at, "#result_list", ADMIN)


@pytest.mark.parametrize("port", ["port", "tls.port"])
def test_plain_http_is_redirected(secured: Any, port: str) -> None:
    number = _port(secured) if port == "tls.port" else int(secured["api_url"].rpartition(":")[2])
    headers = {"Host": f"{HOST}:{number}"}
    answer = httpx.get(f"http://127.0.0.1:{number}/tasks?page=2", headers=headers)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://{HOST}:{_port(secured)}/tasks?page=2"


def test_programs_of_this_machine_need_no_certificate(lab: Lab, secured: Any) -> None:
    assert secured["api_url"].startswith("http://127.0.0.1:")
    assert admin_of(secured).get("/api/users/self").status_code == 200


def test_the_key_is_shown_nowhere(lab: Lab, secured: Any, pair: tuple[Path, Path]) -> None:
    secret = pair[1].read_text().splitlines()[5]
    proxy = docker.from_env().containers.get(f"labelspace-{NAME}-proxy")
    outputs = lab.run("status", NAME, "--json").stdout + lab.run("preview", NAME).stdout
    settings = lab.pulumi("config", "--stack", NAME) + lab.pulumi("stack", "output", "--stack", NAME)
    exported = lab.pulumi("stack", "export", "--stack", NAME)
    for text in (json.dumps(proxy.attrs), proxy.logs().decode(), outputs, settings, exported):
        assert secret not in text
    assert not any(secret in one.read_text() for one in lab.state.rglob("*.json"))


def test_status_shows_the_end_and_a_renewed_file_replaces_the_proxy_alone(
    lab: Lab, secured: Any, pair: tuple[Path, Path], authority: Authority
) -> None:
    warned = lab.run("status", NAME).stdout
    assert "~ certificate: it ends in 9 days" in warned
    before = _containers()
    renewed = authority.sign("renewed", f"DNS:{HOST}", days=90)
    for old, new in zip(pair, renewed, strict=True):
        old.write_text(new.read_text())
    assert "has a new one" in lab.run("status", NAME).stdout
    done = lab.run("set", NAME, f"tls.certificate={pair[0]}", "--yes")
    assert done.returncode == 0, done.stderr
    changed = {part for part, identity in _containers().items() if identity != before[part]}
    assert changed == {"proxy", "readiness"}
    status = lab.json("status", NAME)
    assert status["warnings"] is None
    end = subprocess.run(
        ["openssl", "x509", "-in", renewed[0], "-noout", "-enddate", "-dateopt", "iso_8601"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert status["certificate_until"].replace("T", " ") in end


def _containers() -> dict[str, str]:
    found = docker.from_env().containers.list(all=True, filters={"name": f"labelspace-{NAME}-"})
    return {str(one.name).removeprefix(f"labelspace-{NAME}-"): str(one.id) for one in found}


def test_a_pair_that_browsers_refuse_changes_nothing(lab: Lab, secured: Any, authority: Authority) -> None:
    before = _containers()
    expired = authority.sign("expired", f"DNS:{HOST}", days=-1)
    refused = lab.run("set", NAME, f"tls.certificate={expired[0]}", f"tls.key={expired[1]}", "--yes")
    assert refused.returncode == 2
    assert f"tls.certificate: {expired[0]} has expired: renew it" in refused.stderr
    foreign = lab.run("preview", NAME, "tls.host=pets.example.org")
    assert foreign.returncode == 2
    assert "tls.host: pets.example.org is not a name of" in foreign.stderr
    assert _containers() == before


def test_the_setting_can_be_removed(lab: Lab, secured: Any) -> None:
    done = lab.run("set", NAME, "tls=", "bind_address=127.0.0.1", "--yes")
    assert done.returncode == 0, done.stderr
    status = lab.json("status", NAME)
    assert status["url"].startswith(f"http://{NAME}.localhost:")
    assert status["certificate_until"] is None
