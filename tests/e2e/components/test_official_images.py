"""The images are like the official ones: users, entrypoints, owners, and busybox where Alpine is the base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
import pytest
from testbed.official import Official, read

from labelspace.cvat.images import IMAGES
from labelspace.targets.local import bucket

OFFICIAL = read()
every_image = pytest.mark.parametrize(("name", "official"), OFFICIAL.items(), ids=OFFICIAL)
with_shell = [name for name, official in OFFICIAL.items() if official.userland != "none"]
on_busybox = [name for name, official in OFFICIAL.items() if official.userland == "busybox"]


def shell(name: str, script: str, **more: Any) -> str:
    """Run ``script`` as root in the image of ``name``; raises ``ContainerError`` when it fails."""
    said = docker.from_env().containers.run(
        IMAGES[name], entrypoint=["sh", "-euc"], command=[script], user="0", remove=True, stderr=True, **more
    )
    return str(said.decode())


def test_every_image_has_its_row() -> None:
    assert set(OFFICIAL) == set(IMAGES)


@every_image
def test_the_configuration_is_the_official_one(name: str, official: Official) -> None:
    config = docker.from_env().images.get(IMAGES[name]).attrs["Config"]
    assert config["User"] == official.user
    assert tuple(config["Entrypoint"] or ()) == official.entrypoint
    assert tuple(config["Cmd"] or ()) == official.command
    assert config["WorkingDir"].rstrip("/") == official.workdir
    assert tuple(config["Volumes"] or ()) == official.volumes
    assert config.get("StopSignal", "") == official.stop_signal


@pytest.mark.parametrize("name", with_shell)
def test_users_owners_and_programs_are_the_official_ones(name: str) -> None:
    official = OFFICIAL[name]
    for account, ids in official.accounts.items():
        assert shell(name, f"echo $(id -u {account}):$(id -g {account})").strip() == ids
    for path, owner in official.owners.items():
        assert shell(name, f"stat -c '%u:%g %a' {path}").strip() == owner, path
    for path, capability in official.capabilities.items():
        assert shell(name, f"getcap {path}").split() == [path, capability]
    for program in official.programs:
        assert shell(name, f"command -v {program}").strip(), program


@pytest.mark.parametrize("name", on_busybox)
def test_no_gnu_tool_is_within_reach(name: str) -> None:
    listed = shell(name, "for tool in $(busybox --list); do command -v $tool; done; busybox | head -n 1")
    assert "BusyBox v1." in listed
    missing = {"chown", "df", "du", "find", "grep", "ls", "mountpoint", "stat", "tar", "timeout", "wget"} - {
        line.rpartition("/")[2] for line in listed.splitlines()
    }
    assert not missing
    assert "unrecognized option" in shell(name, "chown --reference=/ /tmp 2>&1 || true")
    links = "find /bin /sbin /usr/bin /usr/sbin -type f ! -name busybox"
    found = {line.rpartition("/")[2] for line in shell(name, links).splitlines()}
    assert not found & set(shell(name, "busybox --list").split())


def test_a_bucket_is_prepared_by_busybox(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("buckets", "gateway")}
    for folder in folders.values():
        folder.mkdir()
    volumes = {str(path): {"bind": f"/labelspace/{name}", "mode": "rw"} for name, path in folders.items()}
    for _ in range(2):  # the second time it finds what it made
        shell("versitygw", bucket._PREPARE, volumes=volumes, environment={"BUCKET": "pets"})
    prepared = folders["gateway"] / "pets" / "metadata" / "meta" / "versioning"
    assert prepared.read_bytes() == b"\x01"
    assert {path.stat().st_uid for path in (tmp_path / "buckets" / "pets", prepared)} == {1000}
    shell("versitygw", "rm -rf /labelspace/*/pets", volumes=volumes)
