# Starts PostgreSQL as the official image does. A second process sets the configured password, starts the archive
# and takes the backups on their schedule.
set -euo pipefail
REPOSITORY=/var/lib/pgbackrest

refuse() { echo "labelspace: $*" >&2; sleep 5; exit 1; }

set_password() {
    # By TCP: while the entrypoint initialises the volume, its temporary server answers only on the socket.
    until pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"; do sleep 1; done
    # The volume may be older than the password: a workspace was created again over its data.
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
    chown postgres:postgres "$REPOSITORY/database" || true  # read-only now: the status reports it
    rm -rf /tmp/pgbackrest/in-use "$PGDATA/labelspace-restore" "$PGDATA/labelspace-replaced"
    if [ ! -s "$PGDATA/PG_VERSION" ] && python3 -m labelspace_backup holds-backups; then
        refuse "the volume is empty, but there are backups: restore them; no empty database is started in their place"
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
