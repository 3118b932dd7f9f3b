#!/opt/venv/bin/python3
"""Django's commands, from any folder."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvat.settings.production")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
