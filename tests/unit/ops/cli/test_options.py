"""What flags and ``KEY=VALUE`` make of a bucket for the backups."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from labelspace.spec import SpecError, parse_spec
from labelspace_ops.cli import options
from labelspace_ops.core.errors import UsageError

KEPT = {"name": "kept", "endpoint": "https://s3.example.org", "access_key": "AK", "secret_key": "s3cret"}
NOW = {"name": "street", "backup": {"retention_days": 30}}
SCALEWAY: dict[str, Any] = {"name": "street", "target": "scaleway", "buckets": [{"name": "photos"}]}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEPT["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEPT["secret_key"])
    for other in ("AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(other, raising=False)


def _flags(**given: Any) -> options.SettingFlags:
    return options.SettingFlags(**{"bucket": ["photos"], "admin_username": "head", **given})


@pytest.fixture(autouse=True)
def _unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "_exists", lambda name: False)


def test_the_flag_takes_the_keys_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = _flags(backup_bucket="kept@https://s3.example.org")
    assert options.from_flags("street", given, ask=False)["backup"] == {"bucket": KEPT}
    (tmp_path / "ca.pem").write_text("PEM")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "fr-par")
    more = {"region": "fr-par", "ca_certificate": "PEM"}
    assert options.from_flags("street", given, ask=False)["backup"] == {"bucket": {**KEPT, **more}}


def test_an_assignment_keeps_the_schedule_and_can_go_back_to_a_folder() -> None:
    changed = options.from_assignments(["backup.bucket=kept@https://s3.example.org"], NOW)
    assert changed["backup"] == {"retention_days": 30, "bucket": KEPT}
    back = options.from_assignments(["backup.bucket="], changed)
    assert back["backup"] == {"retention_days": 30, "bucket": None}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("backup.bucket=kept", "backup.bucket: 'kept': give NAME@https://ENDPOINT"),
        ("backup.bucket.secret_key=s3cret", "keys in an argument are visible"),
        ("backup.bucket.access_key=AK", "keys in an argument are visible"),
        ("backup.encryption_key=" + "x" * 40, "a key in an argument is visible"),
        ("scaleway.acme_eab_hmac=s3cret", "scaleway.acme_eab_hmac=- and give the key on standard input"),
    ],
)
def test_half_a_bucket_and_keys_as_arguments_are_refused(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        options.from_assignments([word], NOW)
    assert "s3cret" not in str(refused.value)


def test_the_key_of_an_account_at_an_authority_comes_from_standard_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("c2VjcmV0\n"))
    changed = options.from_assignments(["scaleway.acme_eab_hmac=-"], {**NOW, "scaleway": {"domain": "a.org"}})
    assert changed["scaleway"] == {"domain": "a.org", "acme_eab_hmac": "c2VjcmV0"}


@pytest.mark.parametrize(
    ("key", "field"), [("scaleway.acme_eab_hmac", "acme_eab_hmac"), ("notify.webhook", "webhook")]
)
def test_a_terminal_asks_for_a_secret_and_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, key: str, field: str
) -> None:
    terminal = io.StringIO("shown\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"{prompt}hidden ")
    changed = options.from_assignments([f"{key}=-"], SCALEWAY)
    assert changed[key.partition(".")[0]][field] == f"{key}: hidden"
    assert terminal.read() == "shown\n"


def test_an_empty_value_removes_an_optional_setting() -> None:
    account = {"acme_directory": "https://a.example.org/d", "acme_email": "ann@example.org"}
    account |= {"acme_eab_key_id": "key-1", "acme_eab_hmac": "c2VjcmV0"}
    settings = {**SCALEWAY, "scaleway": {"domain": "labels.example.org", **account}}
    left = options.from_assignments([f"scaleway.{field}=" for field in account], settings)
    assert parse_spec(left) == parse_spec({**SCALEWAY, "scaleway": {"domain": "labels.example.org"}})


def test_half_an_account_at_an_authority_is_refused() -> None:
    account = {
        "acme_directory": "https://a.example.org/d",
        "acme_eab_key_id": "k",
        "acme_eab_hmac": "c2VjcmV0",
    }
    left = options.from_assignments(["scaleway.acme_eab_hmac="], {**SCALEWAY, "scaleway": account})
    with pytest.raises(SpecError, match="give both acme_eab_key_id and acme_eab_hmac, or neither"):
        parse_spec(left)


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("scaleway.region=", r"scaleway.region: '' is refused"),
        ("scaleway.data_gb=", r"scaleway.data_gb: '' is refused"),
        ("size=", r"size: '' is refused"),
        ("scaleway.acme_directry=", r"scaleway.acme_directry: "),
    ],
)
def test_an_empty_value_of_any_other_setting_is_refused(assignment: str, problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        parse_spec(options.from_assignments([assignment], SCALEWAY))


def test_an_authority_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere.pem")
    with pytest.raises(UsageError, match="cannot be read"):
        options.from_assignments(["backup.bucket=kept@https://s3.example.org"], NOW)


def test_a_block_is_removed_by_an_empty_value() -> None:
    settings = {"name": "pets", "tls": {"certificate": "/c", "key": "/k"}, "email": {"host": "mail.lan"}}
    changed = options.from_assignments(["tls=", "email="], settings)
    assert (changed["tls"], changed["email"]) == (None, None)


def test_the_password_of_mails_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "Another-phrase-of-2026")
    changed = options.from_assignments(["email.host=mail.lan", "email.user=labels"], {"name": "pets"})
    email = {"host": "mail.lan", "user": "labels", "password": "Another-phrase-of-2026"}
    assert changed["email"] == email
    assert "email" not in options.from_assignments(["size=medium"], {"name": "pets"})
    with pytest.raises(UsageError, match="SMTP_PASSWORD"):
        options.from_assignments(["email.password=x"], {"name": "pets"})


def test_a_bucket_may_be_a_folder_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = options.from_flags("street", _flags(bucket=["photos=images", "kept"]), ask=False)
    assert given["buckets"] == [{"name": "photos", "path": f"{tmp_path}/images"}, {"name": "kept"}]


def test_a_folder_is_added_changed_and_removed_by_assignments() -> None:
    added = options.from_assignments(["buckets+=photos=/data/a=b"], NOW)
    assert added["buckets"][-1] == {"name": "photos", "path": "/data/a=b"}
    same = options.from_assignments(["buckets=photos"], added)
    assert same["buckets"] == [{"name": "photos", "path": "/data/a=b"}]
    moved = options.from_assignments(["buckets=photos=/data/c"], added)
    assert moved["buckets"] == [{"name": "photos", "path": "/data/c"}]
    with_two = options.from_assignments(["buckets+=kept"], added)
    left = options.from_assignments(["buckets-=photos"], with_two)["buckets"]
    assert left == [*NOW.get("buckets", []), {"name": "kept"}]
    with pytest.raises(UsageError, match="give NAME=FOLDER, such as photos=/data/images"):
        options.from_assignments(["buckets=photos="], NOW)
