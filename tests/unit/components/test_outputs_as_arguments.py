"""Outputs as arguments: accepted where no resource depends on them, checked before a resource is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from tests.e2e.cloud import ACCOUNT
from tests.unit.components.test_options import CLOUD, Declared, Options, declared

from labelspace import AnnotationDatabase, DatasetBucket, SpecError, Workspace
from labelspace.spec import SPECS, parse_spec
from labelspace.spec.late import Late, block
from labelspace.workspace import StackWorkspace

VALUES: dict[str, Any] = {
    "description": "Street scenes",
    "admin": {
        "username": "head-of-labels",
        "email": "head@example.org",
        "password": "a-Long-phrase-of-2026",
    },
    "backup": {
        "encryption_key": "k" * 40,
        "bucket": {
            "name": "kept",
            "endpoint": "https://s3.example.org",
            "region": "eu-1",
            "access_key": "BACKUPACCESS",
            "secret_key": 'backup "secret" $key',
            "ca_certificate": "PEM-of-S3",
        },
    },
    "buckets": [
        {
            "name": "far",
            "endpoint": "http://198.51.100.1:7070",
            "region": "eu-2",
            "access_key": "FARACCESS",
            "secret_key": "far-secret",
        }
    ],
    "email": {
        "host": "smtp.example.org",
        "from_": "cvat@example.org",
        "user": "cvat",
        "password": "mail $secret",
    },
    "database": {
        "host": "db.example.org",
        "name": "annotations",
        "user": "cvat_owner",
        "password": 'data "base" $password',
        "ca_certificate": "PEM-of-PostgreSQL",
    },
}
KNOWN = {"secret_key": {"name"}, "from_": {"host", "from_", "user"}}
"""What a block with this key takes no output for."""


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for key, value in {**ACCOUNT, "LABELSPACE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(key, value)


def as_outputs(values: Any) -> Any:
    """The same values, each as an output whose value is secret."""
    if isinstance(values, dict):
        known = {name for key, names in KNOWN.items() if key in values for name in names}
        return {name: one if name in known else as_outputs(one) for name, one in values.items()}
    if isinstance(values, list):
        return [as_outputs(one) for one in values]
    return pulumi.Output.secret(values)


def _stand_ins(model: Any) -> Iterator[str]:
    for field in model.model_fields.values():
        yield from (one.stand_in for one in field.metadata if isinstance(one, Late))
        inner = block(field.annotation)
        yield from _stand_ins(inner) if inner else ()


def _inputs(made: Declared) -> dict[str, Any]:
    """The inputs of each resource that is no component, secrets in the clear."""
    found = {}
    for one in made.requests:
        if one.custom:
            inputs = rpc.deserialize_properties(one.object, keep_unknowns=True, keep_internal=True)
            found[f"{one.type} {one.name}"] = json.loads(json.dumps(_unwrapped(inputs), default=str))
    return found


def _unwrapped(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _unwrapped(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _unwrapped(one) for key, one in value.items()}
    return [_unwrapped(one) for one in value] if isinstance(value, list) else value


def _workspace(**values: Any) -> Declared:
    return declared(lambda opts: Workspace("w", opts, **values))


def test_outputs_make_the_same_resources_as_plain_values() -> None:
    plain, late = _inputs(_workspace(**VALUES)), _inputs(_workspace(**as_outputs(VALUES)))
    assert plain.keys() == late.keys()
    assert plain == late
    assert len(plain) > 20


def test_no_stand_in_reaches_a_resource() -> None:
    made = _workspace(**as_outputs(VALUES))
    sent = json.dumps([str(one.object) for one in made.requests])
    stand_ins = {text for spec in SPECS.values() for text in _stand_ins(spec)}
    assert len(stand_ins) > 5
    assert [text for text in stand_ins if text in sent] == []


def test_a_program_and_a_stacks_file_of_the_same_settings_make_the_same_resources() -> None:
    settings = {**VALUES, "name": "w", "external_database": VALUES["database"]}
    del settings["database"]
    of_a_file = declared(lambda _: StackWorkspace(parse_spec(settings)))
    of_a_program = _workspace(**VALUES)
    assert _inputs(of_a_file) == _inputs(of_a_program)
    names = [(one.parent, one.type, one.name) for one in of_a_file.requests]
    assert sorted(names) == sorted((one.parent, one.type, one.name) for one in of_a_program.requests)


def test_the_key_of_a_database_on_scaleways_server_may_be_an_output() -> None:
    values = {**CLOUD, "scaleway": {"wait_minutes": 0, "database": "server", "trial_hostname": True}}
    plain = _inputs(_workspace(**values, backup={"encryption_key": "k" * 40}))
    late = _inputs(_workspace(**values, backup={"encryption_key": pulumi.Output.secret("k" * 40)}))
    assert plain == late


def test_the_key_of_an_account_at_an_authority_is_secret_in_the_state() -> None:
    bound = {
        "acme_directory": "https://acme.example.org/directory",
        "acme_eab_key_id": "key-1",
        "acme_eab_hmac": "c2VjcmV0",
    }
    (top,) = _workspace(**{**CLOUD, "scaleway": {**CLOUD["scaleway"], **bound}}).top
    assert top.object["scaleway"]["acmeEabKeyId"] == "key-1"
    assert rpc._special_sig_key in top.object["scaleway"]["acmeEabHmac"]


def test_inputs_are_in_the_state_and_secrets_are_secret_there() -> None:
    (top,) = _workspace(**VALUES).top
    assert (top.object["description"], top.object["name"]) == ("Street scenes", "w")
    assert top.object["admin"]["username"] == "head-of-labels"
    secrets = [
        top.object["admin"]["password"],
        top.object["backup"]["encryptionKey"],
        top.object["database"]["password"],
        top.object["buckets"][0]["secretKey"],
    ]
    assert [rpc._special_sig_key in one for one in secrets] == [True] * 4
    url = "postgresql://ann:s3cret@db.example.org/labels"
    (top,) = _workspace(buckets=[{"name": "one"}], database=url).top
    assert rpc._special_sig_key in top.object["database"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"admin": {"password": pulumi.Output.secret("short")}}, "admin: password: too short"),
        ({"admin": {"email": pulumi.Output.from_input("nobody")}}, "admin.email: give an address"),
        ({"description": pulumi.Output.from_input("x" * 501)}, "description: String should have at most 500"),
        ({"backup": {"encryption_key": pulumi.Output.secret("weak")}}, "backup.encryption_key: use 32"),
        (
            {"database": {"host": pulumi.Output.from_input("localhost"), "password": "entry"}},
            "database.host: containers cannot reach this machine's loopback",
        ),
        (
            {"database": {"host": "db", "password": pulumi.Output.secret(None)}},
            "database.password: the output has no value",
        ),
        (
            {"database": {"host": pulumi.Output.secret("8.8.8.8"), "password": "x", "sslmode": "disable"}},
            "database: sslmode: 'disable' sends passwords",
        ),
    ],
)
def test_a_wrong_output_fails_the_update_before_anything_is_made(
    values: dict[str, Any], sentence: str
) -> None:
    made: list[Any] = []
    with pytest.raises(pulumi.RunError) as refused:
        declared(lambda opts: Workspace("w", opts, buckets=[{"name": "one"}], **values), seen=made)
    assert sentence in str(refused.value)
    assert [one for one in made if not one.type.startswith("pulumi:pulumi:Stack")] == []
    assert "short" not in str(refused.value).replace("too short", "")
    assert "8.8.8.8" not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"buckets": [{"name": pulumi.Output.from_input("one")}]}, "buckets.0.name"),
        ({"buckets": pulumi.Output.from_input([{"name": "one"}])}, "buckets"),
        ({"size": pulumi.Output.from_input("small")}, "size"),
        ({"target": pulumi.Output.from_input("local")}, "target"),
        ({"port": pulumi.Output.from_input(8080)}, "port"),
        ({"running": pulumi.Output.from_input(True)}, "running"),
        ({"backup": pulumi.Output.from_input({})}, "backup"),
        ({"name": pulumi.Output.from_input("w")}, "name"),
    ],
)
def test_an_output_is_refused_where_resources_depend_on_it(values: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as refused:
        _workspace(**{"buckets": [{"name": "one"}], **values})
    assert refused.value.problems == [
        f"{field}: is an output (secret, or known after another resource is made): give a plain value"
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"bucket": [{"name": "one"}]}, "bucket: unknown setting: did you mean buckets?"),
        ({"buckets": []}, "buckets: name at least one dataset bucket"),
        ({"buckets": [{"name": "one"}], "port": 80.0}, "port: 80 is refused"),
        ({"buckets": [{"name": "one"}], "admin": {"user": "x"}}, "did you mean admin.username?"),
        (
            {"buckets": [{"name": "one"}], "database": {"host": "localhost", "password": "x"}},
            "database.host: 'localhost' is refused",
        ),
    ],
)
def test_a_known_value_is_refused_at_once_in_the_words_of_the_program(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SpecError) as refused:
        _workspace(**values)
    assert sentence in str(refused.value)
    assert "--" not in str(refused.value)
    assert "external_database" not in str(refused.value)


def test_two_workspaces_with_the_same_settings_have_resources_of_their_own() -> None:
    def both(opts: Options) -> None:
        Workspace("first", buckets=[{"name": "one"}])
        Workspace("second", buckets=[{"name": "one"}])

    made = declared(both).requests
    names = [(one.parent, one.type, one.name) for one in made]
    assert len(names) == len(set(names))
    tops = {one.name for one in made if one.type == "labelspace:index:Workspace"}
    assert tops == {"first", "second"}
    assert [one.name for one in made if not one.name.startswith(("first", "second"))] == []
    engine = [
        (one.type, one.object["name"])
        for one in made
        if one.type.endswith(("Container", "Volume", "Network"))
    ]
    assert len(engine) == len(set(engine)) == 40


def test_the_children_of_a_workspace_go_by_its_resource_and_containers_by_its_name() -> None:
    made = declared(lambda opts: Workspace("labeling", opts, buckets=[{"name": "one"}], name="street"))
    assert [one.name for one in made.children if not one.name.startswith("labeling")] == []
    containers = [one.object["name"] for one in made.children if one.type.endswith(":Container")]
    assert all(str(name).startswith("labelspace-street-") for name in containers)


def test_every_output_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: dict[type, set[str]] = {}

    def register(component: pulumi.ComponentResource, outputs: dict[str, Any]) -> None:
        registered[type(component)] = set(outputs)

    monkeypatch.setattr(pulumi.ComponentResource, "register_outputs", register)
    _composed()
    for component in (Workspace, DatasetBucket, AnnotationDatabase):
        outputs = {name for name, kind in component.__annotations__.items() if "Output" in str(kind)}
        assert outputs <= registered[component], component


def _composed(**values: Any) -> Declared:
    def part(opts: Options) -> None:
        photos = DatasetBucket("photos", port=9000)
        labels = AnnotationDatabase("labels")
        Workspace("street", opts, **{"buckets": [photos, {"name": "more"}], "database": labels, **values})

    return declared(part)


def test_a_workspace_is_composed_of_a_bucket_and_a_database() -> None:
    made = _composed()
    inside = [one for one in made.requests if one.custom and "labelspace:index:Workspace" in one.parent]
    containers = {one.object["name"]: one for one in inside if one.type.endswith(":Container")}
    assert not any("database" in name for name in containers)
    assert not [one.name for one in inside if one.type.endswith(":Network") or "database" in one.name]
    shared = str(containers["labelspace-labels-server"].object)
    assert "/home/django/share/photos" in shared
    assert "/home/django/share/more" in shared
    assert "labelspace-labels-data" in shared
    assert 'string_value: "labelspace-labels-database"' in shared, "the network"
    assert "/buckets/photos" not in str(containers["labelspace-labels-gateway"].object)


def test_a_workspace_of_components_alone_has_no_gateway() -> None:
    made = declared(
        lambda opts: Workspace("street", opts, buckets=[DatasetBucket("photos", port=9000)], port=9001)
    )
    gateways = [one.name for one in made.of("docker") if one.name.endswith("-gateway")]
    assert gateways == ["photos-gateway"]
    assert "street-gateway" not in {one.name for one in made.of("random")}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"name": "street"},
            "name: 'street' is refused: the workspace goes by its database's name, 'labels'",
        ),
        ({"target": "scaleway"}, "target: 'scaleway' is refused: a DatasetBucket or AnnotationDatabase"),
        ({"backup": {"retention_days": 3}}, "backup: the database is a component"),
        ({"sleep_after_minutes": 10}, "sleep_after_minutes: a database that is a component does not sleep"),
    ],
)
def test_an_argument_that_contradicts_a_component_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as refused:
        _composed(**values)
    assert sentence in str(refused.value)
