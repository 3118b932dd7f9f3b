"""Where the state is, and what lies in a folder of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelspace.home import Home
from labelspace_ops.stack import backend, project, pulumi_errors, state


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///srv/state?metadata=skip", "/srv/state"),
        ("file:///srv/a%20state", "/srv/a state"),
        ("file://~", None),
        ("s3://bucket?region=fr-par", None),
    ],
)
def test_a_folder_is_distinguished_from_a_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, folder: str | None
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://of-another-project")
    monkeypatch.chdir(tmp_path)
    project.find(Home(tmp_path)).login.parent.mkdir(parents=True, exist_ok=True)
    backend.save_url(Home(tmp_path), url)
    found = backend.state_folder(Home(tmp_path))
    assert (str(found) if found else None) == folder


def test_a_home_without_a_login_has_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://of-another-project")
    monkeypatch.chdir(tmp_path)
    assert backend.state_folder(Home(tmp_path)) == tmp_path / "state"


def test_stacks_are_files_compressed_or_not_and_what_was_removed_is_none(tmp_path: Path) -> None:
    assert backend.stack_names(tmp_path) == []
    folder = tmp_path / ".pulumi" / "stacks" / "labelspace"
    folder.mkdir(parents=True)
    for name in ("two.json", "one.json.gz", "gone.json.bak", "gone-too.json.gz.bak", "one.json.attrs"):
        (folder / name).write_text("{}")
    assert backend.stack_names(tmp_path) == ["one", "two"]


def test_outputs_are_read_from_the_state_with_secrets_in_the_clear() -> None:
    secret = {state.SIGNATURE: state.SECRET, "plaintext": '{"key": "s3cret"}'}
    frame = {
        "type": "pulumi:pulumi:Stack",
        "outputs": {"url": "http://x", "bucket_keys": secret, "buckets": [{"name": "a", "key": secret}]},
    }
    exported = ({"type": "docker:index/container:Container"}, frame)
    assert state.stack_outputs([state.Resource.parse(one) for one in exported]) == {
        "url": "http://x",
        "bucket_keys": {"key": "s3cret"},
        "buckets": [{"name": "a", "key": {"key": "s3cret"}}],
    }
    assert state.stack_outputs([]) == {}


def test_the_reason_of_a_failed_program_is_said_once() -> None:
    reason = "demo-migrate ended with 1"
    said = f"error: {reason}\n  error: Exception calling application: {reason}\n"
    assert pulumi_errors.error_reason(f"Updating...\n{said}error: update failed") == reason
