"""The double has nothing in Redis to migrate."""

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, **_):
        self.stdout.write("nothing to migrate")
