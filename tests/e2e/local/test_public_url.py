"""A workspace behind somebody's own TLS proxy: real Caddy and nginx in front, as their users set them up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import docker
import httpx
import pytest
from selenium import webdriver
from tests.authority import Authority
from tests.e2e.browser import chromium
from tests.e2e.console.hands import find, texts, wait
from tests.e2e.lab import ADMIN, PASSWORD, Lab, Visitor, admin_of, visitor_at

from labelspace.cvat.images import IMAGES
from labelspace_ops.runtime.docker_engine import tar_files

HOST, PORT = "labels.example.org", 29443
URL = f"https://{HOST}:{PORT}"
PROXIES = {
    "caddy": """
{
	auto_https off
	admin off
}
https://HOST:PORT {
	bind 127.0.0.1
	tls /proxy/cert.pem /proxy/key.pem
	reverse_proxy 127.0.0.1:UPSTREAM
}
""",
    "nginx": """
pid /tmp/nginx.pid;
events {}
http {
  server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate /proxy/cert.pem;
    ssl_certificate_key /proxy/key.pem;
    location / {
      proxy_pass http://127.0.0.1:UPSTREAM;
      HEADERS
    }
  }
}
""",
}
NGINX_HEADERS = {
    "nginx that rewrites the host": "proxy_set_header X-Forwarded-Proto $scheme;",
    "nginx that keeps the host": "proxy_set_header Host $http_host;",
}
COMMANDS = {
    "caddy": (IMAGES["caddy"], ["caddy", "run", "--config", "/proxy/conf", "--adapter", "caddyfile"]),
    "nginx": ("cvat/ui:v2.73.0", ["nginx", "-c", "/proxy/conf", "-g", "daemon off;"]),
}


@pytest.fixture(scope="module")
def behind(lab: Lab) -> Iterator[Any]:
    name = "behind-a-proxy"
    try:
        yield lab.create(name, "--bucket", name, "--set", f"public_url={URL}")
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.new(tmp_path_factory.mktemp("tls") / "ca")


@pytest.fixture(params=["caddy", *NGINX_HEADERS])
def proxy(request: pytest.FixtureRequest, behind: Any, authority: Authority) -> Iterator[str]:
    kind = str(request.param).split()[0]
    image, command = COMMANDS[kind]
    conf = PROXIES[kind].replace("HOST", HOST).replace("PORT", str(PORT))
    conf = conf.replace("UPSTREAM", str(urlsplit(behind["api_url"]).port))
    conf = conf.replace("HEADERS", NGINX_HEADERS.get(request.param, ""))
    pem, key = (path.read_text() for path in authority.sign("proxy", f"DNS:{HOST}"))
    one = docker.from_env().containers.create(
        image, entrypoint=command, network_mode="host", user="0:0", name="labelspace-test-proxy-in-front"
    )
    try:
        one.put_archive("/", tar_files({"/proxy/conf": conf, "/proxy/cert.pem": pem, "/proxy/key.pem": key}))
        one.start()
        yield str(request.param)
    finally:
        one.remove(force=True)


@pytest.fixture
def person(proxy: str, authority: Authority) -> Visitor:
    """Somebody at the public address, who trusts the test's authority alone."""
    return visitor_at(URL, authority.pem)


def test_pages_sessions_and_links_work(proxy: str, person: Visitor) -> None:
    assert person.get("/").status_code == 200, proxy
    body = {"username": ADMIN, "password": PASSWORD}
    assert person.http.post("/api/auth/login", json=body, headers={"Referer": f"{URL}/"}).status_code == 200
    token = {"X-CSRFToken": person.http.cookies["csrftoken"], "Referer": f"{URL}/"}
    for number in range(2):
        made = person.http.post("/api/projects", json={"name": f"{proxy} {number}"}, headers=token)
        assert made.status_code == 201, made.text
    listed = person.get("/api/projects?page_size=1").json()
    assert listed["next"].startswith(f"{URL}/api/projects"), listed


def test_the_browser_signs_in_and_opens_the_admin_panel(proxy: str, behind: Any) -> None:
    with chromium(
        1200, 900, f"--host-resolver-rules=MAP {HOST} 127.0.0.1", "--ignore-certificate-errors"
    ) as at:
        at.get(f"{URL}/admin/login/?next=/admin/auth/user/")
        _sign_in(at)
        assert ADMIN in wait(at, lambda seen: texts(seen, "#result_list"))[0]


def _sign_in(browser: webdriver.Chrome) -> None:
    find(browser, "[name=username]").send_keys(ADMIN)
    find(browser, "[name=password]").send_keys(PASSWORD)
    find(browser, "[type=submit]").click()


def test_another_origin_is_refused(person: Visitor) -> None:
    person.log_in(ADMIN, PASSWORD)
    headers = {"X-CSRFToken": person.http.cookies["csrftoken"], "Origin": "https://evil.example.org"}
    refused = person.http.post("/api/projects", json={"name": "stolen"}, headers=headers)
    assert (refused.status_code, "CSRF" in refused.text) == (403, True)


def test_this_machine_still_reaches_it_directly(lab: Lab, behind: Any) -> None:
    assert behind["url"] == URL
    assert lab.json("status", behind["name"])["status"] == "ready"
    person = Visitor(behind["api_url"])
    assert person.log_in(ADMIN, PASSWORD).status_code == 200
    listed = person.get("/api/users?page_size=1").json()
    assert json.dumps(listed).count(HOST) == 0


def test_a_stranger_cannot_speak_as_the_proxy(lab: Lab, behind: Any) -> None:
    """With the networks of the proxy named, other addresses that send its headers are taken as they are."""
    name, admin = behind["name"], admin_of(behind)
    for number in range(2):
        admin.post("/api/projects", {"name": f"listed {number}"})
    done = lab.run("set", name, "trusted_proxies=192.0.2.7/32", "--yes")
    assert done.returncode == 0, done.stderr
    try:
        forged = httpx.get(
            f"{behind['api_url']}/api/projects?page_size=1",
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": HOST, "Origin": URL},
            auth=(ADMIN, PASSWORD),
        )
        assert forged.json()["next"].startswith(behind["api_url"])
    finally:
        lab.run("set", name, "trusted_proxies=", "--yes")
