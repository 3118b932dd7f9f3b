"""Health of a worker container: a live RQ worker of this very host on each queue that is named.

In a workspace that may sleep, it also touches a file that the sleeper sees when no job waits or runs.
"""

import os
import socket
import sys

import redis

NOTES = "/notes"


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
    if os.path.isdir(NOTES) and not busy(store):
        with open(f"{NOTES}/quiet-{sys.argv[1]}", "w", encoding="utf-8"):
            pass
    return 0


def busy(store) -> bool:
    """Whether a queue has a job that waits, runs or is tried again later; other planned jobs do not count."""
    queues = [name.decode() for name in store.smembers("rq:queues")]
    return any(
        store.llen(queue)
        or store.zcard(queue.replace("rq:queue:", "rq:wip:", 1))
        or retries(store, queue.replace("rq:queue:", "rq:scheduled:", 1))
        for queue in queues
    )


def retries(store, planned) -> bool:
    """Whether a planned job is one that failed and waits for its retry: RQ keeps its ``retries_left``."""
    jobs = store.zrange(planned, 0, -1)
    return any(store.hexists(b"rq:job:" + job, "retries_left") for job in jobs)


if __name__ == "__main__":
    sys.exit(main())
