"""What the server does at boot, as text: reviewed as a snapshot, and free of every secret but its key."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from labelspace.container_spec import File, Service
from labelspace.cvat import services as cvat
from labelspace.cvat.caddy import Https
from labelspace.cvat.names import DATABASE_ALIAS
from labelspace.postgres import pgbackrest as postgres
from labelspace.postgres.container import service
from labelspace.spec import BackupSpec
from labelspace.targets.scaleway import boot_config, cloud_init, database_on_server
from labelspace.targets.scaleway import compose as compose_file

HIDDEN = "never-in-user-data"


def described() -> dict[str, Service]:
    """CVAT's containers, every secret an output as in a stack."""
    secret = pulumi.Output.secret(HIDDEN)
    settings = cvat.Settings(
        size="small",
        registration="open",
        default_role="worker",
        hosts=("labels.example.org", "localhost"),
        admin_username="admin",
        admin_email="admin@localhost",
        secrets=cvat.Secrets(secret, secret, secret, secret, secret),
        https=Https("labels.example.org"),
    )
    return cvat.services(settings)


def example(**changes: Any) -> boot_config.BootConfig:
    one = boot_config.BootConfig(
        workspace="pets",
        services=described(),
        plain_files={"proxy/0-Caddyfile": "labels.example.org {\n}\n"},
        region="fr-par",
        access_key="SCWXXXXXXXXXXXXXXXXX",
        secret_key="11111111-1111-4111-8111-111111111111",
        secret_id="22222222-2222-4222-8222-222222222222",
        database_host="10.37.0.2",
        database_certificate="PEM",
        disk="/dev/disk/by-id/scsi-0SCW_sbs_volume-33333333-3333-4333-8333-333333333333",
        buckets=("street", "fields"),
        backup_bucket="labelspace-pets-11111111-backups",
        endpoint="https://s3.fr-par.scw.cloud",
    )
    return replace(one, **changes)


def test_user_data(snapshot: SnapshotAssertion) -> None:
    assert _readable(cloud_init.user_data(example())) == snapshot


def _readable(text: str) -> str:
    """The recipe of the database's image is left out: it is text of its own."""
    return re.sub(r"(?m)^  content: [A-Za-z0-9+/=]{1000,}$", "  content: PACKED", text)


def test_the_server_is_opened_by_a_key_only_when_there_is_one() -> None:
    assert "sshd_config" not in cloud_init.user_data(example())
    text = cloud_init.user_data(example(ssh_public_key="ssh-ed25519 AAAA admin"))
    files = {one["path"]: one["content"] for one in yaml.safe_load(text)["write_files"]}
    assert files[cloud_init.AUTHORIZED_KEYS] == "ssh-ed25519 AAAA admin\n"
    assert "PasswordAuthentication no" in files["/etc/ssh/sshd_config.d/10-labelspace.conf"]


def test_user_data_holds_the_key_and_no_other_secret() -> None:
    text = cloud_init.user_data(example())
    assert text.count("11111111-1111-4111-8111-111111111111") == 1
    assert HIDDEN not in text


def test_user_data_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="127998"):
        cloud_init.user_data(example(plain_files={"big": "x" * cloud_init.MAX_USER_DATA}))


def with_database() -> boot_config.BootConfig:
    """Of a workspace whose database is on the server."""
    secret = pulumi.Output.secret(HIDDEN)
    own = replace(
        service(secret, dict.fromkeys(database_on_server.FILES, secret), BackupSpec(), size="small"),
        host_files={postgres.AUTHORITIES: postgres.AUTHORITIES},
    )
    return example(services={"database": own, **described()}, database_host=DATABASE_ALIAS)


def test_user_data_with_a_database_on_the_server(snapshot: SnapshotAssertion) -> None:
    text = _readable(cloud_init.user_data(with_database()))
    assert text.replace(postgres.image_name(), "labelspace-database:15-HASH") == snapshot


def test_the_recipe_on_the_server_is_the_one_that_the_image_is_named_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {one["path"]: one for one in yaml.safe_load(cloud_init.user_data(with_database()))["write_files"]}
    packed = base64.b64decode(files[cloud_init.IMAGE_CONTEXT]["content"])
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:bz2") as tar:
        tar.extractall(tmp_path, filter="data")
    expected = postgres.image_name()
    monkeypatch.setattr(postgres, "CONTEXT", tmp_path)
    assert postgres.image_name() == expected
    assert f"DATABASE_IMAGE={expected}\n" in files["/etc/labelspace/boot.env"]["content"]


def test_nothing_of_a_managed_database_is_on_a_server_with_its_own() -> None:
    text = cloud_init.user_data(with_database())
    assert "labelspace-dump.timer" not in text
    assert "extra_hosts" not in text
    assert HIDDEN not in text
    assert "labelspace-dump.timer" in cloud_init.user_data(example())


def test_the_database_reads_cvats_files_and_whom_the_server_trusts() -> None:
    database = yaml.safe_load(compose_file.compose(with_database()))["services"]["database"]
    mounts = {one["target"]: (one["source"], one.get("read_only", False)) for one in database["volumes"]}
    assert mounts[postgres.DATA] == ("database", False)
    assert mounts["/cvat/data"] == ("data", True)
    assert mounts[postgres.AUTHORITIES] == (postgres.AUTHORITIES, True)
    assert database["container_name"] == "labelspace-pets-database"
    assert database["labels"] == {"labelspace.workspace": "pets", "labelspace.part": "database"}


@pytest.mark.parametrize(
    ("one", "name"), [(example, "labelspace-data"), (with_database, "labelspace-pets-data")]
)
def test_volumes_of_a_managed_workspace_keep_the_names_that_they_had(
    one: Callable[[], boot_config.BootConfig], name: str
) -> None:
    assert yaml.safe_load(compose_file.compose(one()))["volumes"]["data"]["name"] == name


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(compose_file.compose(example())))


def test_every_container_of_cvat_is_in_the_compose_file() -> None:
    assert compose()["services"].keys() == described().keys()


def test_only_the_proxy_is_published() -> None:
    published = {name: one["ports"] for name, one in compose()["services"].items() if "ports" in one}
    assert published == {"proxy": ["80:80", "443:443"]}


def test_no_container_keeps_a_right_that_is_not_described() -> None:
    for name, one in compose()["services"].items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one.get("cap_add", []) == list(described()[name].capabilities), name


def test_a_mount_that_comes_late_reaches_the_container_and_nobody_writes() -> None:
    (share,) = [
        one
        for one in compose()["services"]["server"]["volumes"]
        if one["target"] == compose_file.SHARE_INSIDE
    ]
    assert share["bind"]["propagation"] == "rslave"
    assert share["read_only"] is True


def test_a_secret_file_is_bound_from_memory_and_must_be_there() -> None:
    one = Service("one", "image", 64, files=(File("/run/a", pulumi.Output.secret("x")), File("/etc/b", "y")))
    document = yaml.safe_load(compose_file.compose(example(services={"one": one})))
    secret, plain = document["services"]["one"]["volumes"]
    assert secret["source"] == "/run/labelspace/files/one/0-a"
    assert re.fullmatch("/etc/labelspace/files/[0-9a-f]{8}-b", plain["source"])
    assert not any(one["bind"]["create_host_path"] for one in (secret, plain))


def test_what_containers_share_is_written_once() -> None:
    places = [
        boot_config.file_path(Service(name, "image", 64, files=(File("/opt/b", "y"),)), 0) for name in "ab"
    ]
    assert places[0] == places[1]
    other = Service("c", "image", 64, files=(File("/opt/b", "z"),))
    assert boot_config.file_path(other, 0) != places[0]


def test_a_dollar_is_not_read_as_a_variable() -> None:
    one = Service("one", "image", 64, command=("sh", "-c", "echo $HOME"))
    assert (
        yaml.safe_load(compose_file.compose(example(services={"one": one})))["services"]["one"]["command"][2]
        == "echo $$HOME"
    )


def test_a_renewed_certificate_of_the_database_is_another_servers() -> None:
    first, same, renewed = (
        cloud_init.user_data(example(database_certificate=text)) for text in ("PEM", "PEM\n", "PEM 2")
    )
    assert first == same != renewed
    assert "PEM" not in first


def test_another_account_at_the_authority_is_another_servers() -> None:
    without, first, same, corrected = (
        _files(cloud_init.user_data(example(acme_account=line)))["/etc/labelspace/boot.env"]
        for line in ("", "eab key-1 bWFj\n", "eab key-1 bWFj\n", "eab key-1 bWFk\n")
    )
    assert first == same != corrected
    assert first.startswith(without), "the rest is the same"
    assert "ACME_ACCOUNT" not in without
    assert "bWFj" not in first
    assert hashlib.sha256(b"eab key-1 bWFj\n").hexdigest()[:8] not in first, "a fast hash can be guessed"


def _files(text: str) -> dict[str, str]:
    return {one["path"]: one["content"] for one in yaml.safe_load(text)["write_files"]}


def test_docker_keeps_its_images_on_the_data_volume() -> None:
    settings = json.loads(_files(cloud_init.user_data(example()))["/etc/docker/daemon.json"])
    assert settings["data-root"].startswith("/var/lib/labelspace/"), "where the data volume is mounted"
    assert settings["features"] == {"containerd-snapshotter": False}, "which would keep them outside of it"


def test_a_new_kernel_is_booted_at_a_set_hour() -> None:
    files = _files(cloud_init.user_data(example()))
    (upgrades,) = (text for path, text in files.items() if path.startswith("/etc/apt/apt.conf.d/"))
    assert 'Unattended-Upgrade::Automatic-Reboot "true";' in upgrades
    assert re.search(r'Automatic-Reboot-Time "\d\d:\d\d";', upgrades)
