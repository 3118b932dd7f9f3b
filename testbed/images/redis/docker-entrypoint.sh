#!/bin/sh
# Options or a configuration file alone mean redis-server; root gives the working directory to redis and becomes redis.
set -e
case "$1" in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis {} +
    exec gosu redis "$0" "$@"
fi
exec "$@"
