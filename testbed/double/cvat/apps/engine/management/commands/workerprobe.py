"""Whether the queues have as many workers as expected."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis import Redis


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("queues", nargs="+")
        parser.add_argument("--expected-num-workers", type=int, required=True)

    def handle(self, queues, expected_num_workers, **_):
        store = Redis.from_url(settings.RQ_URL)
        for queue in queues:
            found = store.scard(f"rq:workers:{queue}")
            if found < expected_num_workers:
                raise CommandError(f"{queue}: {found} of {expected_num_workers} workers")
