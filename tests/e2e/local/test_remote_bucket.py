"""A workspace with a bucket of its own and a remote one: used, deleted, made again."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from tests.e2e.lab import Lab, admin_of, containers
from tests.paths import ROOT

from labelspace_ops.stack import state


@pytest.fixture(scope="module")
def endpoint(clinic: Any) -> str:
    """The other workspace's gateway, at an address that containers reach."""
    subnet = docker.from_env().networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    address = ipaddress.ip_network(subnet)[1]  # the engine's own bridge takes the first
    port = clinic["buckets"][0]["endpoint"].rsplit(":", 1)[1]
    return f"http://{address}:{port}"


@pytest.fixture(scope="module")
def keys(lab: Lab, clinic: Any) -> Iterator[dict[str, str]]:
    outputs = state.require_outputs(clinic["name"], lab.home)
    found = outputs["bucket_keys"]["street"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", found["access_key"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", found["secret_key"])
        yield found


@pytest.fixture(scope="module")
def flags(endpoint: str, keys: dict[str, str]) -> tuple[str, ...]:
    assert keys["secret_key"]
    return ("--bucket", "orchard", "--remote-bucket", f"street@{endpoint}")


@pytest.fixture(scope="module")
def garden(lab: Lab, flags: tuple[str, ...]) -> Iterator[Any]:
    name = f"d{secrets.token_hex(3)}"
    try:
        yield lab.create(name, *flags)
    finally:
        lab.run("delete", name, "--purge", stdin=f"{name}\n")
        assert not (lab.home.backups / name).exists()


def _share(measured: Any, directory: str) -> set[str]:
    rows = admin_of(measured).get(f"/api/server/share?directory={directory}").json()
    return {row["name"] for row in rows}


def test_a_remote_bucket_that_cannot_be_listed_is_refused(lab: Lab, endpoint: str, keys: Any) -> None:
    done = lab.run("create", "fresh", "--yes", "--remote-bucket", f"nowhere@{endpoint}")
    assert done.returncode == 2
    assert f"buckets.0: 'nowhere' at {endpoint} cannot be listed" in done.stderr
    assert keys["secret_key"] not in done.stderr
    assert not containers("fresh")


def test_both_buckets_are_under_connected_file_share(lab: Lab, garden: Any) -> None:
    assert _share(garden, "/") == {"orchard", "street"}
    assert {"a.png", "night shots", "notes.txt"} <= _share(garden, "/street/")
    files = [one for one in (lab.home.buckets / "street").rglob("*") if one.is_file()]
    assert len(files) >= 4
    counts = {bucket["name"]: bucket["objects"] for bucket in garden["buckets"]}
    assert counts == {"orchard": 0, "street": len(files)}


def test_keys_of_the_remote_bucket_show_nowhere(lab: Lab, garden: Any, keys: Any) -> None:
    secret = keys["secret_key"]
    for part, one in containers(garden["name"]).items():
        assert secret not in json.dumps(one.attrs), part
        assert secret not in one.logs().decode(errors="replace"), part
    assert secret not in (ROOT / "stacks" / f"Pulumi.{garden['name']}.yaml").read_text()
    assert secret not in lab.pulumi("preview", "--stack", garden["name"], "--diff", "--show-sames")


def test_only_the_mounting_container_may_mount(garden: Any) -> None:
    may = {part for part, one in containers(garden["name"]).items() if one.attrs["HostConfig"]["Devices"]}
    assert may == {"mount-street"}


def test_a_killed_mount_heals_by_itself(lab: Lab, garden: Any) -> None:
    os.kill(containers(garden["name"])["mount-street"].attrs["State"]["Pid"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while containers(garden["name"])["mount-street"].attrs["RestartCount"] == 0:
        assert time.monotonic() < deadline, "the mount did not come back"
        time.sleep(0.2)
    lab.until_ready(garden["name"])
    assert "a.png" in _share(garden, "/street/")


def test_deleting_keeps_data_and_the_same_name_finds_it_again(
    lab: Lab, garden: Any, flags: tuple[str, ...]
) -> None:
    name = garden["name"]
    assert admin_of(garden).post("/api/projects", {"name": "precious"}).status_code == 201
    done = lab.json("delete", name, "--yes")
    assert done["backed_up"]
    assert not containers(name)
    assert (lab.home.buckets / "orchard").is_dir()
    again = lab.json("create", name, "--yes")
    assert [row["name"] for row in admin_of(again).get("/api/projects").json()["results"]] == ["precious"]
    assert "a.png" in _share(again, "/street/")
