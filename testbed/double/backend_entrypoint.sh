#!/bin/bash
# The words of CVAT 2.73's entrypoint: bash, init, run server [nginx], run nginx, run worker QUEUES...; they chain.
set -eu

for hook in /etc/cvat/init.d/*; do
    if [ -r "$hook" ]; then . "$hook"; fi
done

fail() { echo "$*" >&2; exit 1; }

must_exist() {
    for name in "$@"; do
        if [ -z "${!name+x}" ]; then
            fail "Error: Format string '%(ENV_$name)s' for 'environment' contains names ('ENV_$name') which cannot be expanded"
        fi
    done
}

wait_for() { # host port
    until (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; do sleep 0.5; done
}

wait_for_db() { wait_for "$CVAT_POSTGRES_HOST" "${CVAT_POSTGRES_PORT:-5432}"; }

wait_for_redis() {
    wait_for "$CVAT_REDIS_INMEM_HOST" "$CVAT_REDIS_INMEM_PORT"
    wait_for "$CVAT_REDIS_ONDISK_HOST" "$CVAT_REDIS_ONDISK_PORT"
}

cmd_init() {
    wait_for_db
    django-admin migrate
    wait_for_redis
    django-admin migrateredis
    django-admin syncperiodicjobs
}

wait_for_migrations() {
    touch /home/django/data/.writable || fail "PermissionError: /home/django/data"
    wait_for_db
    while ! django-admin migrate --check; do sleep 10; done
    wait_for_redis
    while ! django-admin migrateredis --check; do sleep 10; done
}

cmd_server() {
    must_exist SMOKESCREEN_OPTS NUMPROCS
    django-admin collectstatic --no-input
    wait_for_migrations
    exec python3 -m gunicorn --bind 0.0.0.0:8080 --workers "$NUMPROCS" --threads 8 --log-level warning cvat.wsgi
}

cmd_worker() {
    case " $* " in
        *" import "* | *" export "* | *" annotation "* | *" chunks "* | *" webhooks "*) must_exist SMOKESCREEN_OPTS ;;
    esac
    case " $* " in
        *" notifications "* | *" cleaning "*) must_exist CVAT_REDIS_INMEM_PASSWORD ;;
    esac
    wait_for_migrations
    exec django-admin runworkers --processes "$NUMPROCS" "$@"
}

cmd_run() {
    [ $# -gt 0 ] || fail "run: component expected"
    component=$1
    shift
    case "$component" in
        server) cmd_server ;;
        nginx) exec sleep infinity ;;
        worker) cmd_worker "$@" ;;
        *) fail "Unexpected run component: $component" ;;
    esac
}

[ $# -gt 0 ] || fail "this image requires a subcommand: bash, init, run"
while [ $# -gt 0 ]; do
    word=$1
    shift
    case "$word" in
        bash) exec bash "$@" ;;
        init) cmd_init ;;
        run) cmd_run "$@" ;;
        *) fail "unknown subcommand: $word" ;;
    esac
done
