#!/bin/sh
# Options or a configuration file alone mean redis-server; root drops to redis.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- redis-server "$@"
fi
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    chown -R redis:redis /data
    exec gosu redis "$0" "$@"
fi
exec "$@"
