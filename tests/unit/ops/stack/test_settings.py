"""What of a spec is written into a stack's file, and how: secrets are no arguments of a program."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import ConfigValue

from labelspace.spec import parse_spec
from labelspace_ops.stack import automation as stack

FAR = {"name": "far", "endpoint": "https://s3.example.org", "access_key": "AK", "secret_key": "s3cret"}


class Recorder:
    """A stack's file in memory: what it holds, and what was asked of it."""

    def __init__(self, holds: dict[str, ConfigValue]) -> None:
        self.holds, self.removed, self.plain = holds, list[str](), dict[str, str]()
        self.hidden = dict[str, str]()

    name = "recorder"
    workspace = SimpleNamespace(work_dir="no-such-folder")

    def get_all_config(self) -> dict[str, ConfigValue]:
        return self.holds

    def remove_all_config(self, keys: list[str]) -> None:
        self.removed += keys

    def set_all_config(self, values: dict[str, ConfigValue], path: bool) -> None:
        assert path
        assert not [key for key, value in values.items() if value.secret]
        self.plain |= {key: value.value for key, value in values.items()}


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Any:
    def hide(one: Recorder, key: str, text: str) -> None:
        one.hidden[key] = text

    monkeypatch.setattr(stack, "_set_secret", hide)

    def write(holds: dict[str, ConfigValue], **values: Any) -> Recorder:
        recorder: Any = Recorder(holds)
        spec = parse_spec({"name": "street", "buckets": [{"name": "photos"}, FAR], "port": 8080, **values})
        stack.write_settings(recorder, spec)
        return recorder  # type: ignore[no-any-return]

    return write


def test_secrets_go_apart(written: Any) -> None:
    made = written({})
    assert made.plain["labelspace:buckets[1].name"] == "far"
    assert made.hidden == {
        "labelspace:buckets[1].access_key": "AK",
        "labelspace:buckets[1].secret_key": "s3cret",
    }


def test_what_the_file_says_already_is_left_alone(written: Any) -> None:
    buckets = ConfigValue(json.dumps([{"name": "photos"}, FAR]), secret=True)
    kept = {"labelspace:buckets": buckets, "labelspace:port": ConfigValue("8080")}
    made = written({**kept, "labelspace:size": ConfigValue("medium"), "other:key": ConfigValue("x")})
    assert made.removed == ["labelspace:size"]
    assert made.hidden == {}
    assert set(made.plain) == {"labelspace:s3_port", "labelspace:running"}


@pytest.mark.parametrize(
    "there",
    [
        ConfigValue(json.dumps([{"name": "photos"}, FAR]), secret=False),  # by hand, in the clear
        ConfigValue(json.dumps([{"name": "photos"}, {**FAR, "secret_key": "older"}]), secret=True),
        ConfigValue(json.dumps([{"name": "photos"}, FAR, {"name": "third"}]), secret=True),
    ],
)
def test_what_differs_is_written_anew(written: Any, there: ConfigValue) -> None:
    made = written({"labelspace:buckets": there})
    assert made.removed == ["labelspace:buckets"]
    assert made.hidden["labelspace:buckets[1].secret_key"] == "s3cret"
