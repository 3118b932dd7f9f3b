"""What the filter of CVAT's own requests is started with."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from labelspace import parse_spec
from labelspace.cvat import config_files, egress

ALLOW = (
    *("10.0.0.5", "10.0.0.5:9000", "10.1.0.0/16", "100.64.3.0/24", "fd00::5", "[fd00::5]:9000"),
    *("gateway:7070", "nas.lan", "abc1"),
)


def test_the_settings_take_addresses_networks_and_names() -> None:
    spec = parse_spec({"name": "w", "buckets": [{"name": "one"}], "egress": {"allow": ",".join(ALLOW)}})
    assert spec.egress.allow == ALLOW


def test_addresses_become_options_and_names_are_kept_for_the_start() -> None:
    *allowed, refusal = shlex.split(egress.options(ALLOW))
    assert allowed == [
        "--allow-address=10.0.0.5", "--allow-address=10.0.0.5:9000", "--allow-range=10.1.0.0/16",
        "--allow-range=100.64.3.0/24", "--allow-address=fd00::5", "--allow-address=[fd00::5]:9000",
    ]  # fmt: skip
    assert refusal == f"--additional-error-message-on-deny={egress.REFUSAL}"
    assert egress.names(ALLOW).split() == ["gateway:7070", "nas.lan", "abc1"]


def test_nothing_is_allowed_by_default() -> None:
    assert "--allow" not in egress.options(())
    assert egress.names(()) == ""


@pytest.mark.parametrize("character", list("%;\"'\\$`"))
def test_supervisord_takes_the_sentence_as_it_is(character: str) -> None:
    """It expands ``%(ENV_X)s``, then splits the command as a shell would."""
    assert character not in egress.REFUSAL


Started = Callable[[str], tuple[list[str], str]]


@pytest.fixture
def started(tmp_path: Path) -> Started:
    """Runs the script as the entrypoint does, with a ``getent`` that knows two names."""
    (tmp_path / "egress.sh").write_text(config_files.container_file("egress.sh"))
    (tmp_path / "getent").write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        '"ahostsv4 gateway") printf "172.18.0.4 STREAM gateway\\n172.18.0.4 DGRAM\\n" ;;\n'
        '"ahostsv4 nas.lan") printf "10.0.0.8 STREAM nas\\n10.0.0.9 STREAM\\n10.0.0.8 RAW\\n" ;;\n'
        "*) exit 2 ;;\nesac\n"
    )
    (tmp_path / "getent").chmod(0o755)

    def run(names: str) -> tuple[list[str], str]:
        path = os.pathsep.join((str(tmp_path), "/usr/bin", "/bin"))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f". {tmp_path}/egress.sh\nprintf %s \"$SMOKESCREEN_OPTS\""],
            env={"PATH": path, "SMOKESCREEN_OPTS": "--one", "LABELSPACE_EGRESS": names,
                 "LABELSPACE_EGRESS_WAIT": "0"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.split(), done.stderr

    return run


def test_names_are_looked_up_when_the_container_starts(started: Started) -> None:
    assert started("gateway:7070 nas.lan") == (
        ["--one", "--allow-address=172.18.0.4:7070", "--allow-address=10.0.0.8", "--allow-address=10.0.0.9"],
        "",
    )
    assert started("") == (["--one"], "")


def test_a_name_without_an_address_is_reported_and_stays_refused(started: Started) -> None:
    options, errors = started("nowhere.lan:80 gateway")
    assert options == ["--one", "--allow-address=172.18.0.4"]
    assert errors == "labelspace: egress.allow: nowhere.lan has no IPv4 address: it stays refused\n"
