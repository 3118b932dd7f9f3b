"""CVAT as data."""

from __future__ import annotations

import io
from typing import Any

import pytest

from labelspace import cvat_lines as lines
from labelspace.container_spec import Service
from labelspace.cvat import config_files, services
from labelspace.cvat.images import CVAT_VERSION
from labelspace.spec import EmailSpec

SECRETS = services.Secrets(database="db", redis="r", cache="c", django="d", admin="a")


def described_at(version: str = CVAT_VERSION, *, star_banner: bool = False) -> dict[str, Service]:
    return services.services(
        services.Settings(
            size="small",
            registration="open",
            default_role="worker",
            hosts=("cvat-server",),
            admin_username="admin",
            admin_email="a@b.c",
            secrets=SECRETS,
            version=version,
            star_banner=star_banner,
        )
    )


@pytest.fixture
def described() -> dict[str, Service]:
    return described_at()


def test_every_queue_is_served_once(described: dict[str, Service]) -> None:
    commands = [
        word for one in described.values() if one.command[:2] == ("run", "worker") for word in one.command[2:]
    ]
    assert sorted(word for word in commands if not word.startswith("--")) == sorted(
        ("chunks", *lines.line_of(CVAT_VERSION).queues)
    )


def test_one_container_migrates(described: dict[str, Service]) -> None:
    assert [name for name, one in described.items() if config_files.MIGRATE in " ".join(one.command)] == [
        "migrate"
    ]


def test_readers_of_the_share_are_the_server_and_all_workers(described: dict[str, Service]) -> None:
    assert {name for name, one in described.items() if one.mounts_share} == {
        "server",
        "worker",
        "worker-chunks",
    }


def test_names_that_must_exist_are_there_even_when_empty(described: dict[str, Service]) -> None:
    for name in ("migrate", "server", "worker", "worker-chunks", "readiness"):
        assert "SMOKESCREEN_OPTS" in described[name].environment
        assert "opa" in described[name].environment["no_proxy"].split(",")


def test_no_word_of_a_health_check_without_a_shell_has_a_space(described: dict[str, Service]) -> None:
    """Podman 4 splits such words."""
    checks = [one.health.command for one in described.values() if one.health]
    words = [word for command in checks if command[0] == "CMD" for word in command[1:]]
    assert "/opa" in words
    assert not [word for word in words if " " in word]


def test_no_secret_is_in_an_environment_or_a_command(described: dict[str, Service]) -> None:
    words = " ".join(
        word for one in described.values() for word in (*one.environment, *one.command, *one.entrypoint)
    )
    assert "PASSWORD=" not in words
    assert not {"CVAT_POSTGRES_PASSWORD", "DJANGO_SECRET_KEY", "CVAT_REDIS_INMEM_PASSWORD"} & set(
        words.split()
    )


@pytest.mark.parametrize("version", [line.newest for line in lines.all_lines()])
def test_the_worker_of_imports_and_exports_puts_off_jobs_and_no_other_does(version: str) -> None:
    described = described_at(version)
    assert "--with-scheduler" in described["worker"].command
    assert "--with-scheduler" not in described["worker-chunks"].command


def _overlay(version: str, *, star_banner: bool = False) -> str:
    files = described_at(version, star_banner=star_banner)["server"].files
    return next(str(file.content) for file in files if file.path == config_files.SETTINGS)


def test_the_banner_is_turned_off_where_cvat_has_one() -> None:
    policy = "GITHUB_STAR_PROMPT_POLICY"
    assert policy in _overlay("2.74.1")
    assert policy not in _overlay("2.74.1", star_banner=True)
    assert policy not in _overlay("2.73.0")


def test_sizes_grow(described: dict[str, Service]) -> None:
    small, medium, large = (services.SIZES[size] for size in ("small", "medium", "large"))
    assert small.server < medium.server < large.server
    assert small.processes < medium.processes < large.processes


def test_the_overlay_sets_the_new_users_group_and_who_may_register() -> None:
    overlay = config_files.settings_overlay("closed", "worker")
    scope: dict[str, object] = {"REST_AUTH": {"X": 1}}
    exec(compile("\n".join(overlay.splitlines()[2:]), "overlay", "exec"), scope)  # noqa: S102
    assert scope["IAM_DEFAULT_ROLE"] == "worker"
    assert scope["REST_AUTH"] == {
        "X": 1,
        "REGISTER_PERMISSION_CLASSES": ("rest_framework.permissions.IsAdminUser",),
    }
    assert "REST_AUTH" not in config_files.settings_overlay("open", "user")


MAIL = EmailSpec.model_validate(
    {"host": "mail.lan", "port": 465, "user": "labels", "password": "s3cret-of-mail", "from": "l@example.org",
     "security": "tls"}
)  # fmt: skip


def _described(**changes: Any) -> dict[str, Service]:
    values = {"size": "small", "registration": "open", "default_role": "worker", "hosts": ("cvat-server",)}
    admin = {"admin_username": "admin", "admin_email": "a@b.c", "secrets": SECRETS}
    return services.services(services.Settings(**values, **admin, **changes))  # type: ignore[arg-type]


def test_the_servers_settings_send_mails_and_read_the_password_from_its_file() -> None:
    described = _described(email=MAIL, address="labels.lan:8443")
    files = {file.path: file.content for file in described["server"].files}
    overlay = str(files[config_files.SETTINGS])
    assert "from cvat.settings.email_settings import *" in overlay
    assert "s3cret-of-mail" not in overlay
    scope: dict[str, object] = {"open": lambda path: io.StringIO(f"password in {path}")}
    exec(compile("\n".join(overlay.splitlines()[2:]), "overlay", "exec"), scope)  # noqa: S102
    assert (scope["EMAIL_HOST"], scope["EMAIL_PORT"], scope["EMAIL_HOST_USER"]) == ("mail.lan", 465, "labels")
    assert (scope["EMAIL_USE_SSL"], scope["EMAIL_USE_TLS"]) == (True, False)
    assert scope["EMAIL_HOST_PASSWORD"] == f"password in {config_files.EMAIL_PASSWORD}"
    assert scope["DEFAULT_FROM_EMAIL"] == "l@example.org"


def test_the_servers_settings_alone_change_with_mails_and_registration() -> None:
    mails = {"email": MAIL, "email_password": "s3cret-of-mail", "address": "labels.lan:8443"}
    before, after = _described(), _described(**mails)
    after["proxy"] = before["proxy"]
    changed = {name for name, one in before.items() if _texts(one) != _texts(after[name])}
    assert changed == {"server"}
    holders = {name for name, one in after.items() if config_files.EMAIL_PASSWORD in _paths(one)}
    assert holders == {"server"}


def _paths(service: Service) -> set[str]:
    return {file.path for file in service.files}


def _texts(service: Service) -> dict[str, object]:
    return {file.path: file.content for file in service.files if isinstance(file.content, str)}


def test_nobody_confirms_an_address_when_that_is_turned_off() -> None:
    mail = MAIL.model_copy(update={"confirm_addresses": False})
    overlay = config_files.settings_overlay("open", "worker", email=mail)
    assert "from cvat.settings.production import *" in overlay
    assert "EMAIL_HOST = 'mail.lan'" in overlay


def test_menus_of_what_is_not_here_are_hidden(described: dict[str, Service]) -> None:
    """CVAT's ``/api/server/plugins`` reads both (docs/what-is-not-here.md)."""
    assert described["server"].environment["CVAT_ANALYTICS"] == "0"
    assert "CVAT_SERVERLESS" not in described["server"].environment
