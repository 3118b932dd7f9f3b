"""The settings of a workspace: what is accepted, and what each refusal says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from labelspace.password_policy import password_problem
from labelspace.spec import (
    SECRET_WORDS,
    SPECS,
    LocalSpec,
    ScalewaySpec,
    SpecError,
    WorkspaceSpec,
    parse_setting,
    parse_spec,
    validate,
)
from labelspace.spec.fields import MAX_NAME
from labelspace.spec.late import block_of, is_secret

GOOD: dict[str, Any] = {"name": "pets", "buckets": [{"name": "cats"}]}


AUTHORITY = {"acme_directory": "https://acme.example.org/directory"}
MAIL = {"host": "mail.lan", "from": "labels@example.org"}
TLS = {"certificate": "/etc/ssl/labels.pem", "key": "/etc/ssl/labels.key"}


def spec_of(**changes: Any) -> WorkspaceSpec:
    return parse_spec({**GOOD, **changes})


def test_defaults_are_safe() -> None:
    spec = validate(LocalSpec, GOOD)
    assert (spec.target, spec.bind_address, spec.registration, spec.default_role) == (
        "local",
        "127.0.0.1",
        "open",
        "worker",
    )
    assert spec.backup.archive_timeout_seconds <= 30


@pytest.mark.parametrize(
    ("changes", "field", "next_step"),
    [
        ({"name": "Pets"}, "name", "lowercase"),
        ({"name": "a" * (MAX_NAME + 1)}, "name", str(MAX_NAME)),
        ({"name": "pets-"}, "name", "no hyphen last"),
        ({"buckets": []}, "buckets", "at least one"),
        ({"buckets": [{"name": "A"}]}, "buckets.0.name", "3 to 63"),
        ({"buckets": [{"name": "10.0.0.1"}]}, "buckets.0.name", "not an IP address"),
        ({"buckets": [{"name": "cats"}, {"name": "cats"}]}, "buckets", "once"),
        ({"buckets": [{"name": "cats", "endpoint": "s3.example.org"}]}, "buckets.0.endpoint", "URL"),
        ({"buckets": [{"name": "cats", "access_key": "k"}]}, "buckets.0", "secret_key"),
        ({"egress": {"allow": ["10.0.0.300"]}}, "egress.allow.0", "10.0.0.5:9000"),
        ({"egress": {"allow": "10.0.0.5,10.0.0.7/24"}}, "egress.allow.1", "10.0.0.0/24"),
        ({"egress": {"allow": ["minio:0"]}}, "egress.allow.0", "between 1 and 65535"),
        ({"egress": {"allow": ["10.0.0.0/24:80"]}}, "egress.allow.0", "a network has no port"),
        ({"egress": {"allow": ["127.0.0.1:80"]}}, "egress.allow.0", "CVAT's own container"),
        ({"egress": {"allow": ["localhost"]}}, "egress.allow.0", "another machine"),
        ({"egress": {"allow": ["169.254.169.254"]}}, "egress.allow.0", "clouds give out keys"),
        ({"egress": {"allow": ["0.0.0.0/0"]}}, "egress.allow.0", "give a private address"),
        ({"egress": {"allow": ["8.8.8.8"]}}, "egress.allow.0", "public ones without this"),
        ({"egress": {"deny": []}}, "egress.deny", "unknown setting"),
        ({"target": "scaleway", "egress": {"allow": ["gateway:7070"]}}, "workspace", "of target local"),
        ({"buckets": [{"name": "cats", "path": "images"}]}, "buckets.0.path", "the whole path"),
        ({"buckets": [{"name": "cats", "path": "/data/../root"}]}, "buckets.0.path", "without '..'"),
        (
            {"buckets": [{"name": "cats", "path": "/a", "endpoint": "https://s3.example.org"}]},
            "buckets.0",
            "leave out endpoint",
        ),
        (
            {"target": "scaleway", "buckets": [{"name": "cats", "path": "/a"}]},
            "workspace",
            "path is for target local",
        ),
        ({"target": "aws"}, "target", "local, scaleway"),
        ({"target": "scaleway", "buckets": [{"name": "my.cats"}]}, "workspace", "hyphens"),
        ({"target": "scaleway", "scaleway": {"region": "us-east-1"}}, "scaleway.region", "fr-par"),
        ({"target": "scaleway", "scaleway": {"zone": 2}}, "scaleway", "first zone"),
        (
            {"target": "scaleway", "scaleway": {"subnet_cidr": "10.213.0.0/24"}},
            "scaleway.subnet_cidr",
            "Docker",
        ),
        (
            {"target": "scaleway", "scaleway": {"subnet_cidr": "8.8.8.0/24"}},
            "scaleway.subnet_cidr",
            "private IPv4",
        ),
        ({"target": "scaleway", "scaleway": {"database_gb": 12}}, "scaleway.database_gb", "multiple of 5"),
        ({"target": "scaleway", "scaleway": {"data_gb": 5}}, "scaleway.data_gb", "10"),
        ({"target": "scaleway", "scaleway": {"domain": "labels"}}, "scaleway.domain", "labels.example.org"),
        (
            {"target": "scaleway", "scaleway": {"domain": "a.example.org", "dns_zone": "example.com"}},
            "scaleway",
            "not in dns_zone",
        ),
        (
            {"target": "scaleway", "scaleway": {"acme_directory": "http://a.example"}},
            "scaleway.acme_directory",
            "https://acme-staging",
        ),
        (
            {"target": "scaleway", "scaleway": {"acme_ca_certificate": "PEM"}},
            "scaleway",
            "add its acme_directory",
        ),
        (
            {"target": "scaleway", "scaleway": {**AUTHORITY, "acme_eab_key_id": "key-1"}},
            "scaleway",
            "both acme_eab_key_id and acme_eab_hmac",
        ),
        (
            {"target": "scaleway", "scaleway": {**AUTHORITY, "acme_eab_hmac": "c2VjcmV0"}},
            "scaleway",
            "both acme_eab_key_id and acme_eab_hmac",
        ),
        (
            {"target": "scaleway", "scaleway": {"acme_eab_key_id": "k", "acme_eab_hmac": "c2VjcmV0"}},
            "scaleway",
            "Add its acme_directory",
        ),
        (
            {"target": "scaleway", "scaleway": {"acme_after_lets_encrypt": True}},
            "scaleway",
            "Add its acme_directory",
        ),
        (
            {
                "target": "scaleway",
                "scaleway": {**AUTHORITY, "acme_eab_key_id": "k", "acme_eab_hmac": "no+base/64url"},
            },
            "scaleway.acme_eab_hmac",
            "base64url",
        ),
        (
            {
                "target": "scaleway",
                "scaleway": {**AUTHORITY, "acme_eab_key_id": "k}", "acme_eab_hmac": "c2VjcmV0"},
            },
            "scaleway.acme_eab_key_id",
            "'k}' is refused",
        ),
        (
            {"target": "scaleway", "scaleway": {"ssh_cidrs": ["everyone"]}},
            "scaleway.ssh_cidrs.0",
            "203.0.113.7/32",
        ),
        ({"target": "scaleway", "scaleway": {"deployers": "me"}}, "scaleway.deployers.0", "application_id"),
        ({"size": "huge"}, "size", "small, medium, large"),
        ({"cvat_version": "2.15.0"}, "cvat_version", "supported: 2.73.0"),
        ({"cvat_version": "latest"}, "cvat_version", "supported: 2.73.0"),
        ({"cvat_version": "2.76.0"}, "cvat_version", "only its source was read. Set allow_untested_cvat"),
        ({"cvat_version": "3.1.0"}, "cvat_version", "labelspace knows nothing of it. Set allow_untested"),
        ({"port": 80}, "port", "1024"),
        ({"port": 9000, "s3_port": 9000}, "workspace", "two different ports"),
        ({"bind_address": "localhost"}, "bind_address", "127.0.0.1"),
        ({"public_url": "labels.example.org"}, "public_url", "https://labels.example.org"),
        ({"public_url": "https://a.example.org:99999"}, "public_url", "https://labels.example.org"),
        ({"public_url": "https://a.example.org/labels"}, "public_url", "leave out everything after"),
        ({"public_url": "https://user:pw@a.example.org"}, "public_url", "https://labels.example.org"),
        ({"public_url": "https://a}.example.org"}, "public_url", "https://labels.example.org"),
        ({"trusted_proxies": "10.0.0.1/32"}, "trusted_proxies", "give public_url too"),
        ({"public_url": "https://a.org", "trusted_proxies": "10.0.0.1/8"}, "trusted_proxies.0", "network"),
        (
            {"public_url": "https://a.org", "bind_address": "0.0.0.0"},
            "trusted_proxies",
            "address of your proxy",
        ),
        ({"tls": {"certificate": "a.pem", "key": "/b.key"}}, "tls.certificate", "an absolute path"),
        ({"tls": {**TLS, "host": "a b"}}, "tls.host", "labels.example.org"),
        ({"tls": {**TLS, "port": 8080}, "port": 8080}, "workspace", "tls.port and port are both 8080"),
        ({"tls": TLS, "public_url": "https://a.org"}, "workspace", "exclude each other"),
        ({"tls": TLS, "target": "scaleway"}, "tls", "is for target local"),
        ({"email": {"host": "mail.lan"}}, "email.from", "missing"),
        ({"email": {**MAIL, "host": "127.0.0.1"}}, "email.host", "address of its network"),
        ({"email": {**MAIL, "user": "ann"}}, "email", "password: missing"),
        ({"email": {**MAIL, "form": "a@b.c"}}, "email.form", "did you mean email.from?"),
        ({"email": {**MAIL, "security": "ssl"}}, "email.security", "'starttls', 'tls' or 'none'"),
        (
            {"email": {**MAIL, "host": "mail.org", "user": "a", "password": "b", "security": "none"}},
            "email",
            "in the clear",
        ),
        ({"registration": "maybe"}, "registration", "open, closed"),
        ({"default_role": "admin"}, "default_role", "worker, user"),
        ({"admin": {"username": "ann"}}, "admin.username", "5 to 150"),
        ({"admin": {"email": "nobody"}}, "admin.email", "ann@example.org"),
        ({"admin": {"password": ""}}, "admin", "generated"),
        ({"admin": {"password": "Sh0rt"}}, "admin", "at least 8"),
        ({"admin": {"password": "1234567890123"}}, "admin", "add letters"),
        ({"admin": {"password": "Password123"}}, "admin", "too common"),
        ({"admin": {"username": "jo.smith", "password": "Jo.Smith1"}}, "admin", "too similar"),
        ({"sleep_after_minutes": -1}, "sleep_after_minutes", "greater than or equal to 0"),
        ({"colour": "red"}, "colour", "unknown setting"),
        ({"backup": {"archive_timeout_seconds": 60}}, "backup.archive_timeout_seconds", "30"),
    ],
)
def test_refusals_name_field_and_next_step(changes: dict[str, Any], field: str, next_step: str) -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(**changes)
    [problem] = refused.value.problems
    assert problem.startswith(f"{field}:")
    assert next_step in problem


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(SpecError) as refused:
        spec_of(name="X", size="huge", port=1)
    assert {problem.split(":")[0] for problem in refused.value.problems} == {"name", "size", "port"}


@given(st.text(min_size=1, max_size=20))
def test_a_refused_password_is_never_shown(password: str) -> None:
    secret = f"{password}zQx"
    try:
        spec_of(admin={"username": "zqxzqx", "password": secret})
    except SpecError as error:
        assert secret not in str(error)


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True))
def test_accepted_names_fit_host_and_container_names(name: str) -> None:
    spec = spec_of(name=name)
    assert len(f"labelspace-{spec.name}-worker-chunks") <= 63


@given(st.text())
def test_any_text_as_name_is_accepted_or_refused_with_a_sentence(name: str) -> None:
    try:
        assert spec_of(name=name).name == name
    except SpecError as error:
        assert error.problems[0].startswith("name:")


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        validate(LocalSpec, GOOD).port = 1  # type: ignore[misc]


def test_a_good_password_has_no_problem() -> None:
    assert password_problem("Correct-Horse-7", "admin", "ann@example.org") is None


def test_a_remote_bucket_is_for_the_local_target_alone() -> None:
    values = {"name": "street", "buckets": [{"name": "far", "endpoint": "https://s3.example.org"}]}
    assert parse_spec(values).buckets[0].endpoint == "https://s3.example.org"
    with pytest.raises(SpecError, match="'far': target scaleway cannot use remote buckets"):
        parse_spec({**values, "target": "scaleway"})


def test_a_bucket_for_backups_is_for_the_local_target_alone() -> None:
    bucket = {"name": "kept", "endpoint": "https://s3.example.org", "access_key": "AK", "secret_key": "SK"}
    values = {"name": "street", "buckets": [{"name": "photos"}], "backup": {"bucket": bucket}}
    found = parse_spec(values).backup.bucket
    assert found
    assert found.endpoint == bucket["endpoint"]
    with pytest.raises(SpecError, match="keeps backups in a bucket of its own"):
        parse_spec({**values, "target": "scaleway"})


def test_running_is_a_yes_or_no() -> None:
    values = {"name": "street", "buckets": [{"name": "street"}]}
    assert parse_spec(values).running
    assert not parse_spec({**values, "running": "false"}).running
    with pytest.raises(SpecError, match="running: 'perhaps' is refused: use true or false"):
        parse_spec({**values, "running": "perhaps"})


def test_a_stacks_text_that_says_no_is_no_also_before_it_is_validated() -> None:
    assert [parse_setting("running", text) for text in ("true", "false", "False")] == [True, False, False]
    assert parse_setting("running", "perhaps") == "perhaps", "refused with its own words"


def test_a_type_of_managed_database_is_refused_for_one_on_the_server() -> None:
    values = {"database": "server", "database_type": "DB-DEV-S"}
    with pytest.raises(SpecError, match="database_type: it is for database: managed"):
        parse_spec({"name": "w", "target": "scaleway", "buckets": [{"name": "one"}], "scaleway": values})


def test_networks_may_be_written_with_commas() -> None:
    """As a command line gives them."""
    values = {"ssh_cidrs": "203.0.113.7/32,198.51.100.0/24"}
    made = validate(ScalewaySpec, {"name": "w", "buckets": [{"name": "one"}], "scaleway": values})
    assert made.scaleway.ssh_cidrs == ("203.0.113.7/32", "198.51.100.0/24")


@pytest.mark.parametrize("key", ["short", "x" * 31, "a b" * 20, "x" * 40 + "\n"])
def test_a_weak_backup_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(SpecError, match="use 32 or more") as refused:
        parse_spec({"name": "w", "buckets": [{"name": "one"}], "backup": {"encryption_key": key}})
    assert key not in str(refused.value)


def test_a_setting_survives_a_stack_file() -> None:
    """A file holds lists and inner settings as JSON, and everything else as text."""
    assert parse_setting("trusted_proxies", '["192.0.2.7/32"]') == ["192.0.2.7/32"]
    assert parse_setting("buckets", '[{"name": "one"}]') == [{"name": "one"}]
    assert parse_setting("external_database", '{"host": "db"}') == {"host": "db"}
    assert parse_setting("running", "false") is False
    assert parse_setting("port", "8080") == 8080
    assert parse_setting("description", "[8080]") == "[8080]"


def _secret_fields(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name in model.model_fields:
        inner = block_of(model, name)
        if is_secret(model, name):
            yield f"{prefix}{name}"
        yield from _secret_fields(inner, f"{prefix}{name}.") if inner else ()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_no_message_and_no_preview_shows_a_secret_setting(spec: type[WorkspaceSpec]) -> None:
    fields = list(_secret_fields(spec))
    assert "admin.password" in fields
    assert [field for field in fields if not any(word in field for word in SECRET_WORDS)] == []
