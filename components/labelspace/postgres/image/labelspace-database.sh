# Starts PostgreSQL as the official image does, and next to it a process that sets the configured password, puts the
# archive into use and takes the scheduled backups.
set -euo pipefail
REPOSITORY=/var/lib/pgbackrest

refuse() { echo "labelspace: $*" >&2; sleep 5; exit 1; }

set_password() {
    # Over TCP: the server that runs while the volume is initialised answers on the socket alone.
    until pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"; do sleep 1; done
    # The volume may be older than the password: a workspace made again over kept data.
    psql -q -v ON_ERROR_STOP=1 -v user="$POSTGRES_USER" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<SQL
\set password \`cat $POSTGRES_PASSWORD_FILE\`
ALTER ROLE :"user" PASSWORD :'password';
SQL
}

if [ "$(id -u)" = 0 ] && [ "${1:-}" = postgres ]; then
    if [ -e "$REPOSITORY/restoring" ]; then
        refuse "a restore was interrupted: run the same restore again, it finishes"
    fi
    mkdir -p "$REPOSITORY/database" /var/log/pgbackrest /tmp/pgbackrest
    chown -R postgres:postgres /var/log/pgbackrest /tmp/pgbackrest
    chown postgres:postgres "$REPOSITORY/database" || true  # a place that is read-only now: said by the status
    rm -rf /tmp/pgbackrest/in-use "$PGDATA/labelspace-restore" "$PGDATA/labelspace-replaced"
    if [ ! -s "$PGDATA/PG_VERSION" ] && python3 -m labelspace_backup holds-backups; then
        refuse "the volume is empty, but there are backups: restore them, an empty database is not put in their place"
    fi
    {
        until gosu postgres bash -euo pipefail -c "$(declare -f set_password); set_password"; do sleep 5; done
        until python3 -m labelspace_backup keep; do sleep 5; done
    } &
    # The official entrypoint exports the password to all that it starts. So an empty volume is initialised by a process
    # that ends, and the server is started without the password.
    docker-ensure-initdb.sh postgres
    unset POSTGRES_PASSWORD_FILE
fi
exec docker-entrypoint.sh "$@"
