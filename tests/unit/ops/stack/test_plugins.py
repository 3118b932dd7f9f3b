"""Plugins are fetched before an update; a refused download names the next step."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.core.errors import OpsError
from labelspace_ops.core.reporting import Event, Message, listening
from labelspace_ops.stack import plugins, pulumi_cli

DOCKER, SCALEWAY = "pulumi_docker", "pulumiverse_scaleway"
RETRIES = """[resource plugin scaleway-1.60.0] installing
warning: Error downloading plugin: {reason}
Will retry in 80ms [1/5]
error: [resource plugin scaleway-1.60.0] downloading from github://api.github.com/pulumiverse: failed
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def _program(home: Home, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A stand-in of the program ``pulumi``; its arguments are in ``calls``."""
    program = home.root / "stand-in"
    program.write_text(f'#!/bin/sh\necho "$@" >> {home.root}/calls\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setattr(pulumi_cli, "pulumi_binary", lambda _: str(program))


def _install(home: Home, name: str, at: str) -> Path:
    folder = home.pulumi_home / "plugins" / f"resource-{name}-v{at}"
    folder.mkdir(parents=True)
    return folder


def test_versions_and_servers_are_those_of_the_packages() -> None:
    docker, scaleway = plugins.required([DOCKER, SCALEWAY])
    assert (docker.name, docker.version) == ("docker", version("pulumi-docker"))
    assert not docker.is_on_github
    assert (scaleway.name, scaleway.version) == ("scaleway", version("pulumiverse-scaleway"))
    assert scaleway.is_on_github


def test_only_missing_plugins_are_fetched(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(home, monkeypatch, "true")
    _install(home, "docker", version("pulumi-docker"))
    events: list[Event] = []
    with listening(events.append):
        plugins.fetch([DOCKER, SCALEWAY], home)
    at = version("pulumiverse-scaleway")
    assert (home.root / "calls").read_text() == (
        f"plugin install resource scaleway {at} --server github://api.github.com/pulumiverse"
        " --non-interactive\n"
    )
    assert events == [
        Message(f"plugin scaleway {at}: fetching it"), Message(f"plugin scaleway {at}: installed"),
    ]  # fmt: skip


def test_a_plugin_that_is_half_unpacked_is_missing(home: Home) -> None:
    folder = _install(home, "docker", version("pulumi-docker"))
    (plugin,) = plugins.required([DOCKER])
    assert plugin.is_installed(home)
    folder.with_name(f"{folder.name}.partial").touch()
    assert not plugin.is_installed(home)


def test_a_long_download_is_reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "REPORT_SECONDS", 0.2)
    _program(
        home, monkeypatch, 'head -c 3000000 /dev/zero > "$TMPDIR/archive"; until [ -e said ]; do :; done'
    )

    def listen(event: Event) -> None:
        if event == Message(f"plugin docker {version('pulumi-docker')}: 3 MB so far"):
            (home.root / "said").touch()

    with listening(listen):
        plugins.fetch([DOCKER], home)
    assert (home.root / "said").exists()


@pytest.mark.parametrize("reason", ["403 HTTP error", "rate limit exceeded", "429 HTTP error"])
def test_a_limit_of_github_names_the_token(home: Home, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    report = RETRIES.format(reason=reason)
    _program(home, monkeypatch, f"cat >&2 <<'END'\n{report}END\nexit 1")
    with pytest.raises(OpsError) as caught:
        plugins.fetch([SCALEWAY], home)
    assert "set GITHUB_TOKEN to a token without any right" in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_error_names_host_and_command(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    report = RETRIES.format(reason="dial tcp: lookup get.pulumi.com: no such host")
    _program(home, monkeypatch, f"cat >&2 <<'END'\n{report}END\nexit 1")
    with pytest.raises(OpsError) as caught:
        plugins.fetch([DOCKER], home)
    text = str(caught.value)
    assert "cannot be fetched from get.pulumi.com (dial tcp: lookup get.pulumi.com: no such host)" in text
    assert f"`pulumi plugin install resource docker {version('pulumi-docker')}`" in text


def test_doctor_says_what_is_missing_and_where_it_comes_from(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(home, "docker", version("pulumi-docker"))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    text = plugins.describe([DOCKER, SCALEWAY], home)
    assert text.startswith(f"docker {version('pulumi-docker')}, scaleway")
    assert "from GitHub, which limits downloads without GITHUB_TOKEN" in text
    monkeypatch.setenv("GITHUB_TOKEN", "any")
    assert "from GitHub, with GITHUB_TOKEN" in plugins.describe([SCALEWAY], home)
