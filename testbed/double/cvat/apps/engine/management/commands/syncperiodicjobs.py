"""The double has no periodic jobs."""

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **_):
        self.stdout.write("no periodic jobs")
