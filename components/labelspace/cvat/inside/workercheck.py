"""Health of a worker container: a live RQ worker of this very host on each queue that is named."""

import os
import socket
import sys

import redis


def main() -> int:
    """Return 0 when every queue has a worker from here, else name the first that has none."""
    host, port = os.environ["CVAT_REDIS_INMEM_HOST"], int(os.environ["CVAT_REDIS_INMEM_PORT"])
    password = os.environ.get("CVAT_REDIS_INMEM_PASSWORD") or None
    store = redis.Redis(host=host, port=port, password=password, socket_timeout=5)
    for queue in sys.argv[1:]:
        workers = store.smembers(f"rq:workers:{queue}")
        if not any(store.hget(key, "hostname") == socket.gethostname().encode() for key in workers):
            print(f"no worker of this container on queue {queue}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
