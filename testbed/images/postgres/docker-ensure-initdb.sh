#!/bin/bash
# Initialises an empty PGDATA as docker-entrypoint.sh does, and ends.
. /usr/local/bin/docker-entrypoint.sh
prepare
if [ "$(id -u)" = 0 ]; then
    exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initialise "$@"
fi
