"""The image's own contract: words, environment, user, files, hook (Dockerfile, backend_entrypoint.sh)."""

from __future__ import annotations

import httpx
import pytest

from testbed.contract.stack import ADMIN, LINE, PASSWORD, SERVER_IMAGE, UI_IMAGE, Stack, until


def test_the_image_declares_user_port_folder_and_entrypoint(early: Stack) -> None:
    """Dockerfile, last stage."""
    config = early.engine.images.get(SERVER_IMAGE).attrs["Config"]
    assert config["User"].split(":")[0] == "1000"
    assert config["WorkingDir"] == "/home/django"
    assert config["Entrypoint"] == ["/opt/cvat/backend_entrypoint.sh"]
    assert "8080/tcp" in config["ExposedPorts"]
    environment = dict(line.split("=", 1) for line in config["Env"])
    assert environment["DJANGO_SETTINGS_MODULE"] == "cvat.settings.production"
    assert environment["NUMPROCS"] == "1"
    assert environment["PATH"].startswith("/opt/venv/bin:")


def test_it_runs_as_uid_1000_with_its_source_in_opt(early: Stack) -> None:
    """Dockerfile: ``USER 1000:1000``, ``/opt/cvat``, manage.py linked into the home."""
    script = "id -u; id -g; readlink -f ~/manage.py; command -v django-admin"
    code, said = early.once("bash", "-c", script)
    assert code == 0, said
    assert said.splitlines()[-4:] == ["1000", "1000", "/opt/cvat/manage.py", "/opt/venv/bin/django-admin"]


def test_the_hook_is_sourced_before_the_words(early: Stack) -> None:
    """backend_entrypoint.sh: every readable /etc/cvat/init.d/* is sourced."""
    code, said = early.once("bash", "-c", "echo key=$DJANGO_SECRET_KEY")
    assert code == 0
    assert "key=key-of-the-hook" in said


def test_the_hook_may_answer_for_django(stack: Stack) -> None:
    """backend_entrypoint.sh: ``init`` and ``run`` call django-admin by its name, in this order."""
    asked = [
        line.removeprefix("asked: ")
        for line in stack.get("cvat-server").logs().decode(errors="replace").splitlines()
        if line.startswith("asked: ")
    ]
    prepared = ["migrate", "migrateredis", "syncperiodicjobs"]
    assert asked[:6] == [*prepared, "collectstatic --no-input", "migrate --check", "migrateredis --check"]


def test_static_files_are_gathered_into_the_home(stack: Stack) -> None:
    """settings/base.py (STATIC_ROOT) and nginx.conf: what was gathered once may be put back there."""
    code, said = stack.get("cvat-server").exec_run(["ls", "/home/django/static/admin/css/base.css"])
    assert code == 0, said.decode(errors="replace")


def test_without_or_with_an_unknown_word_it_refuses(early: Stack) -> None:
    """backend_entrypoint.sh, last lines; ``cmd_run``."""
    for command, part in (
        ((), "subcommand"),
        (("dance",), "unknown subcommand: dance"),
        (("run", "dance"), "Unexpected run component: dance"),
    ):
        code, said = early.once(*command)
        assert code == 1, said
        assert part in said


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("SMOKESCREEN_OPTS", ("run", "server", "nginx")),
        ("SMOKESCREEN_OPTS", ("run", "worker", "import")),
        ("CVAT_REDIS_INMEM_PASSWORD", ("run", "worker", "cleaning")),
    ],
)
def test_an_environment_that_must_exist_even_if_empty(
    early: Stack, name: str, command: tuple[str, ...]
) -> None:
    """supervisord/reusable/{smokescreen,rqscheduler}.conf: ``%(ENV_...)s`` cannot be expanded."""
    code, said = early.once(*command, environment={name: None})
    assert code != 0
    assert f"ENV_{name}" in said
    assert "cannot be expanded" in said


def test_a_database_host_must_be_named(early: Stack) -> None:
    """backend_entrypoint.sh: ``set -u``."""
    code, said = early.once("init", environment={"CVAT_POSTGRES_HOST": None})
    assert code == 1
    assert "CVAT_POSTGRES_HOST: unbound variable" in said


@pytest.mark.usefixtures("stack")
def test_password_and_password_file_exclude_each_other(early: Stack) -> None:
    """cvat/settings/base.py; the file's trailing newline is stripped, as every other check here proves."""
    code, said = early.django("migrate", "--check", CVAT_POSTGRES_PASSWORD="x")
    assert code != 0
    assert "ImproperlyConfigured" in said


@pytest.mark.usefixtures("stack")
def test_migrations_are_done_and_can_be_checked(early: Stack) -> None:
    """backend_entrypoint.sh: ``run`` waits for ``migrate --check`` and ``migrateredis --check``."""
    assert early.django("migrate", "--check")[0] == 0
    assert early.django("migrateredis", "--check")[0] == 0


def test_a_superuser_made_too_early_fails(too_early: tuple[int, str]) -> None:
    """cvat/apps/iam/signals.py needs the groups, and Django the tables."""
    assert too_early[0] == 1


def test_createsuperuser_is_not_idempotent(stack: Stack) -> None:
    """Django 5.2: the second run fails and changes nothing."""
    again = {"DJANGO_SUPERUSER_USERNAME": ADMIN, "DJANGO_SUPERUSER_EMAIL": "other@example.org"}
    code, said = stack.django(
        "createsuperuser", "--noinput", **again, DJANGO_SUPERUSER_PASSWORD="another-phrase-2026"
    )
    assert code == 1
    assert "That username is already taken." in said
    assert stack.sql(f"select email from auth_user where username = '{ADMIN}'") == [f"{ADMIN}@example.org"]


def test_a_superuser_without_its_group_is_half_made(stack: Stack) -> None:
    """cvat/apps/iam/signals.py: the group is looked up after the row is saved; the row stays."""
    stack.sql("update auth_group set name = 'away' where name = 'admin'")
    environment = {"DJANGO_SUPERUSER_USERNAME": "half-made", "DJANGO_SUPERUSER_EMAIL": ""}
    try:
        code, said = stack.django(
            "createsuperuser", "--noinput", **environment, DJANGO_SUPERUSER_PASSWORD=PASSWORD
        )
    finally:
        stack.sql("update auth_group set name = 'admin' where name = 'away'")
    assert code == 1
    assert "Group matching query does not exist" in said
    assert stack.sql("select count(*) from auth_user where username = 'half-made'") == ["1"]


def test_a_superuser_is_staff_and_in_group_admin(stack: Stack) -> None:
    """cvat/apps/iam/signals.py."""
    groups = (
        "select g.name from auth_user u join auth_user_groups ug on ug.user_id = u.id"
        f" join auth_group g on g.id = ug.group_id where u.username = '{ADMIN}'"
    )
    assert stack.sql(groups) == ["admin"]
    assert stack.sql("select name from auth_group order by name") == ["admin", "user", "worker"]


def test_the_share_is_read_only_and_that_is_enough(stack: Stack) -> None:
    """site/content/en/docs/administration/community/basics/installation.md, "Share path"."""
    code, _ = stack.get("cvat-server").exec_run(["touch", "/home/django/share/x"])
    assert code != 0


def test_every_queue_has_a_worker_of_its_name(stack: Stack) -> None:
    """cvat/apps/health/management/commands/workerprobe.py and RQ's own keys."""
    assert stack.idle_queues() == []
    code, said = stack.get("worker").exec_run(
        [
            "bash",
            "-c",
            ". /etc/cvat/init.d/contract.sh; django-admin workerprobe --expected-num-workers 1 import export",
        ]
    )
    assert code == 0, said


def test_tables_have_their_names_and_columns(stack: Stack) -> None:
    """cvat/apps/engine/models.py."""
    found: dict[str, set[str]] = {}
    for line in stack.sql(
        "select table_name || ' ' || column_name from information_schema.columns"
        " where table_schema = 'public'"
    ):
        table, column = line.split(" ")
        found.setdefault(table, set()).add(column)
    assert found.keys() >= LINE.reads.keys()
    missing = {table: {*columns} - found[table] for table, columns in LINE.reads.items()}
    assert not {table: columns for table, columns in missing.items() if columns}


def test_a_restart_comes_back_by_itself(stack: Stack) -> None:
    """``init`` on a migrated database is harmless."""
    stack.get("cvat-server").restart(timeout=10)
    stack.find_url()
    until(stack.healthy, "health after a restart")


def test_the_ui_is_one_page_on_port_8000(early: Stack) -> None:
    """Dockerfile.ui, cvat-ui/react_nginx.conf: every path is the page."""
    ui = early.container("ui", UI_IMAGE, ports={"8000/tcp": ("127.0.0.1", None)})
    try:
        until(lambda: ui.reload() or ui.ports.get("8000/tcp"), "a published port", 30)
        url = f"http://127.0.0.1:{ui.ports['8000/tcp'][0]['HostPort']}"
        until(lambda: httpx.get(url).status_code == 200, "the page", 30)
        for path in ("/", "/auth/login", "/api/server/health/"):
            answer = httpx.get(url + path)
            assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")
    finally:
        ui.remove(force=True)
