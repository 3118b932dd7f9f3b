"""RQ workers on the named queues; the container ends when one of them does."""

import os
import sys

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections
from redis import Redis
from rq import Queue, SimpleWorker

from cvat.line import has


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("queues", nargs="+")
        parser.add_argument("--processes", type=int, default=1)
        parser.add_argument("--with-scheduler", action="store_true")

    def handle(self, queues, processes, with_scheduler, **_):
        self.planned = with_scheduler and has("retries")
        children = {os.fork() for _ in range(processes - 1)}
        if 0 not in children and children:
            self._work(queues)
            sys.exit(1)
        self._work(queues)

    def _work(self, queues):
        connections.close_all()
        store = Redis.from_url(settings.RQ_URL)
        SimpleWorker([Queue(name, connection=store) for name in queues], connection=store).work(
            with_scheduler=self.planned
        )
