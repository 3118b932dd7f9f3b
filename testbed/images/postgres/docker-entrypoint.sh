#!/bin/bash
# What users of the official image rely on: root drops to postgres; an empty PGDATA is initialised with
# POSTGRES_USER, POSTGRES_PASSWORD(_FILE), POSTGRES_DB and the scripts of /docker-entrypoint-initdb.d.
set -euo pipefail

if [ "${1:-}" != postgres ]; then
    exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" && chown -R postgres "$PGDATA" && chmod 0700 "$PGDATA"
    exec gosu postgres "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    password=${POSTGRES_PASSWORD:-}
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        password=$(<"$POSTGRES_PASSWORD_FILE")
    fi
    if [ -z "$password" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "Error: POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set for an empty database" >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    initdb --username="$user" --pwfile=<(printf '%s\n' "${password:-unused}") ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    PGPASSWORD=$password pg_ctl -w start -o "-c listen_addresses=''" >/dev/null
    if [ "${POSTGRES_DB:-$user}" != postgres ]; then
        PGPASSWORD=$password createdb --username "$user" "${POSTGRES_DB:-$user}"
    fi
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
            *.sh) . "$script" ;;
            *.sql) PGPASSWORD=$password psql -v ON_ERROR_STOP=1 -U "$user" -d "${POSTGRES_DB:-$user}" -f "$script" ;;
        esac
    done
    pg_ctl -m fast -w stop >/dev/null
fi
exec "$@"
