"""The generated Caddyfile, read by the real Caddy."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.authority import Authority

from labelspace.cvat.caddy import ACCOUNT, CERTIFICATE, KEY, TRUSTED, Https, caddyfile, eab_line
from labelspace.cvat.images import IMAGES


@pytest.mark.parametrize("own_url", ["", "https://labels.example.org:8443"])
@pytest.mark.parametrize("sleeps", [False, True])
@pytest.mark.parametrize("registration", ["open", "closed"])
def test_caddy_accepts_it(registration: str, sleeps: bool, own_url: str, tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(caddyfile(8080, registration, sleeps=sleeps, own_url=own_url))
    if own_url:
        pair = Authority.new(tmp_path / "ca").sign("labels", "DNS:labels.example.org")
        for file, inside in zip(pair, (CERTIFICATE, KEY), strict=True):
            shutil.copy(file, tmp_path / Path(inside).name)
    _accepts(tmp_path)


@pytest.mark.parametrize("trusted", ["", "PEM"])
@pytest.mark.parametrize("account", ["", eab_line("key:1/a=", "c2VjcmV0")])
@pytest.mark.parametrize("after", [False, True])
def test_caddy_accepts_an_authority(after: bool, account: str, trusted: str, tmp_path: Path) -> None:
    directory = "https://acme.example.org/directory"
    https = Https("labels.example.org", directory, trusted, "ann@example.org", after, account)
    (tmp_path / "Caddyfile").write_text(caddyfile(8080, "closed", https))
    (tmp_path / Path(ACCOUNT).name).write_text(account)
    (tmp_path / Path(TRUSTED).name).write_text(Authority.new(tmp_path / "ca").pem)
    _accepts(tmp_path)


def _accepts(folder: Path) -> None:
    command = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "--volume",
        f"{folder}:/etc/caddy:ro",
        IMAGES["caddy"],
    ]
    done = subprocess.run(
        [*command, "caddy", "validate", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_certificates_come_from_the_directory_that_is_asked_for() -> None:
    assert "acme" not in caddyfile(8080, "open", Https("labels.example.org"))
    rules = caddyfile(8080, "open", Https("labels.example.org", "https://acme.example.org/dir", "PEM"))
    assert "acme_ca https://acme.example.org/dir\n" in rules
    assert f"acme_ca_root {TRUSTED}\n" in rules
    assert "email ann@example.org\n" in caddyfile(80, "open", Https("a.example.org", email="ann@example.org"))


def test_registration_is_closed_only_when_asked() -> None:
    assert "403" in caddyfile(8080, "closed")
    assert "403" not in caddyfile(8080, "open")
