# Starts PostgreSQL as the official image does; beside it, keeps the password as configured and the archive in use.
set -euo pipefail
REPOSITORY=/var/lib/pgbackrest

keep() {
    # By TCP: while the volume is initialised, the entrypoint's passing server answers on the socket alone.
    until pg_isready -q -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB"; do sleep 1; done
    # The volume may be older than the password: a workspace made again over kept data.
    psql -q -v ON_ERROR_STOP=1 -v user="$POSTGRES_USER" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<SQL
\set password \`cat $POSTGRES_PASSWORD_FILE\`
ALTER ROLE :"user" PASSWORD :'password';
SQL
    until pgbackrest --stanza=main stanza-create; do sleep 5; done
    if ! pgbackrest --stanza=main info --output=json | grep -q '"backup":\[{'; then
        pgbackrest --stanza=main --type=full backup
    fi
    touch /tmp/pgbackrest/in-use
}

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$REPOSITORY" /var/log/pgbackrest /tmp/pgbackrest
    rm -f /tmp/pgbackrest/in-use
    chown -R postgres:postgres "$REPOSITORY" /var/log/pgbackrest /tmp/pgbackrest
    until gosu postgres bash -euo pipefail -c "$(declare -f keep); keep"; do sleep 5; done &
fi
exec docker-entrypoint.sh "$@"
