#!/bin/bash
# What users of the official image rely on: root becomes postgres; an empty PGDATA is initialised with POSTGRES_USER,
# POSTGRES_PASSWORD, POSTGRES_DB and the scripts of /docker-entrypoint-initdb.d. Like the official one, it exports the
# content of a POSTGRES_..._FILE to all that it starts.
set -eo pipefail

export_setting() {
    local file="$1_FILE"
    if [ -n "${!file:-}" ]; then
        printf -v "$1" %s "$(<"${!file}")"
    fi
    printf -v "$1" %s "${!1:-${2:-}}"
    export "${1?}"
    unset "$file"
}

prepare() {
    export_setting POSTGRES_PASSWORD
    export_setting POSTGRES_USER postgres
    export_setting POSTGRES_DB "$POSTGRES_USER"
    export_setting POSTGRES_INITDB_ARGS
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" || true
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    fi
}

initialise() { # the server's arguments, "postgres" among them, reach the server that runs meanwhile
    if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "Error: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set for an empty database" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") $POSTGRES_INITDB_ARGS
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "${@:2}")}" >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD=$POSTGRES_PASSWORD
    pg_ctl -w start -o "$(printf '%q ' "${@:2}" -c listen_addresses='')"
    if [ "$POSTGRES_DB" != postgres ]; then
        createdb --username "$POSTGRES_USER" --maintenance-db postgres "$POSTGRES_DB"
    fi
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
            *.sh) . "$script" ;;
            *.sql) psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -f "$script" ;;
        esac
    done
    pg_ctl -m fast -w stop
    unset PGPASSWORD
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    if [ "${1:-}" = postgres ]; then
        prepare
        if [ "$(id -u)" = 0 ]; then
            exec gosu postgres "$0" "$@"
        fi
        if [ ! -s "$PGDATA/PG_VERSION" ]; then
            initialise "$@"
        fi
    fi
    exec "$@"
fi
