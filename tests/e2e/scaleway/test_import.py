"""``create --from-backup`` at Scaleway, as far as a server is not needed: what is refused, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.cloud import ACCOUNT, KEY, UUID, Account, account
from tests.e2e.endpoint import Endpoint, endpoint

from labelspace.home import Home

NAME = "moved"
IN = ("--set", "scaleway.ssh_cidrs=127.0.0.1/32,203.0.113.0/24")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Account]:
    with account(tmp_path / "account", NAME, Home.find().tools) as one:
        one.cloud.add("access_key", dict(KEY), "access_key")
        yield one


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    file = tmp_path / "street.dump"
    file.write_bytes(b"PGDMP and the rest")
    return file


def _create(cloud: Account, *words: str, **changed: str) -> tuple[int, str]:
    flags = ("--target", "scaleway", "--bucket", "fields", "--yes", "--set", "scaleway.wait_minutes=0")
    trial = ("--set", "scaleway.trial_hostname=true")
    done = cloud.labelspace("create", NAME, *flags, *trial, *words, **changed)
    return done.returncode, done.stderr


def _nothing_was_made(cloud: Account) -> bool:
    return not [call for call in cloud.cloud.calls if call[0] == "POST"]


def test_a_server_that_lets_nobody_in_could_not_be_filled(cloud: Account, dump: Path) -> None:
    code, said = _create(cloud, "--from-backup", str(dump))
    assert (code, "scaleway.ssh_cidrs is empty" in said) == (2, True)
    assert _nothing_was_made(cloud)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("s3://kept/labelspace/old", "a dump in a bucket is s3://BUCKET/dumps/ID.dump"),
        ("20261126-085642F", "neither a folder, nor a dump, nor the id of a backup of this machine"),
        (__file__, "is no dump of PostgreSQL"),
    ],
)
def test_what_is_no_backup_is_said_before_anything_is_made(cloud: Account, text: str, reason: str) -> None:
    code, said = _create(cloud, *IN, "--from-backup", text)
    assert (code, reason in said) == (2, True), said
    assert _nothing_was_made(cloud)


def test_a_dump_of_another_workspace_is_fetched_by_the_accounts_keys(
    cloud: Account, dump: Path, tmp_path: Path
) -> None:
    keys = f"{ACCOUNT['SCW_ACCESS_KEY']}@{UUID}", ACCOUNT["SCW_SECRET_KEY"]
    (tmp_path / "storage").mkdir()
    with endpoint(tmp_path / "storage", buckets=("kept",), keys=keys, region="fr-par") as storage:
        storage.client().put_object(Bucket="kept", Key="dumps/whole.dump", Body=dump.read_bytes())
        storage.client().put_object(Bucket="kept", Key="dumps/other.dump", Body=b"something else")
        for name, reason in (
            ("missing", "s3://kept/dumps/missing.dump cannot be had"),
            ("other", "is no dump of PostgreSQL"),
        ):
            code, said = _try(cloud, storage, name)
            assert (code, reason in said) == (2, True), said
            assert _nothing_was_made(cloud)
        _, said = _try(cloud, storage, "whole")
    assert "fetching s3://kept/dumps/whole.dump" in said
    assert (cloud.home.backups / NAME / "made-from").read_text() == "s3://kept/dumps/whole.dump"


def _try(cloud: Account, storage: Endpoint, name: str) -> tuple[int, str]:
    there = {"SCW_S3_ENDPOINT": storage.url, "AWS_CA_BUNDLE": str(storage.authority)}
    return _create(cloud, *IN, "--from-backup", f"s3://kept/dumps/{name}.dump", **there)


def test_deleting_what_is_half_made_forgets_what_it_was_made_from(cloud: Account, dump: Path) -> None:
    code, said = _create(cloud, *IN, "--from-backup", str(dump))
    assert (code, "half made" in said) == (1, True), said
    assert (cloud.home.backups / NAME / "made-from").read_text() == str(dump)
    assert cloud.labelspace("delete", NAME, "--yes").returncode == 0
    assert not (cloud.home.backups / NAME).exists()
