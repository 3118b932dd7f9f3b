"""The notifier's container, and the setting that makes it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import rpc
from tests.unit.components.test_options import CLOUD, LOCAL, declared

from labelspace import SpecError, Workspace
from labelspace.spec import parse_spec

WEBHOOK = "https://hooks.slack.com/services/T0/B0/s3cret"
NOTIFY: dict[str, Any] = {"notify": {"webhook": WEBHOOK}}


def _containers(values: dict[str, Any]) -> dict[str, Any]:
    made = declared(lambda opts: Workspace("w", opts, **{**LOCAL, **values}))
    given = [one.object for one in made.of("docker") if one.type.endswith(":Container")]
    rows = [rpc.deserialize_properties(inputs, keep_unknowns=True) for inputs in given]
    return {str(row["name"]).removeprefix("labelspace-w-"): row for row in rows}


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("LABELSPACE_HOME", str(tmp_path))


def test_no_container_is_made_without_the_setting() -> None:
    made = _containers({})
    assert "notifier" not in made
    assert not [one for one in made["database"]["envs"] if "SERVES_STATE" in one]


def test_the_notifier_has_no_rights_and_its_url_is_secret() -> None:
    made = _containers(NOTIFY)
    row = made["notifier"]
    assert (row["user"], row["capabilities"]["adds"]) == ("1000:1000", [])
    assert row["wait"] is True, "an update ends when it works"
    assert not row.get("volumes")
    assert not row.get("mounts")
    assert "LABELSPACE_SERVES_STATE=1" in made["database"]["envs"]
    for name, one in made.items():
        plain = {key: value for key, value in one.items() if key != "uploads"}
        assert "s3cret" not in str(plain), name
    assert rpc.is_rpc_secret(row["uploads"])
    assert "s3cret" in str(row["uploads"])


@pytest.mark.parametrize("url", ["hooks.slack.com/x", "ftp://x/y", "https://"])
def test_what_is_no_webhook_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SpecError, match=r"notify\.webhook: give the URL of an incoming webhook"):
        parse_spec({**LOCAL, "notify": {"webhook": url}})


def test_the_webhook_shows_in_no_text_of_the_spec() -> None:
    assert "s3cret" not in repr(parse_spec({**LOCAL, **NOTIFY}))


def test_another_target_refuses_the_setting() -> None:
    with pytest.raises(SpecError, match="notify: is for target local"):
        parse_spec({**CLOUD, **NOTIFY})
