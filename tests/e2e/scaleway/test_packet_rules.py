"""The server's packet rules: what a container reaches through them, over IPv4 and IPv6."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from labelspace.targets.scaleway import cloud_init

SCRIPT = Path(__file__).with_name("packet_rules.sh")


def test_containers_reach_the_resolver_and_no_metadata_address() -> None:
    rules = re.search(r"<<'NFT'\n(.*?)NFT\n", cloud_init.script("labelspace-prepare"), re.DOTALL)
    assert rules
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", str(SCRIPT)],
        input=rules[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    reached = [line.split() for line in done.stdout.splitlines()]
    everything = {"169.254.42.42", "169.254.169.254", "fd00:42::42"}
    assert {address for when, address in reached if when == "before"} == everything
    assert {address for when, address in reached if when == "after"} == {"169.254.169.254"}
