"""Makes the image one of a later version: its number, and the migrations of every line up to it."""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path("/opt/cvat")


def order(line):
    return tuple(int(part) for part in line.split("."))


def write(file, name, value):
    file.write_text(re.sub(rf"^{name} = .*$", f'{name} = "{value}"', file.read_text(), count=1, flags=re.M))


UNREAD = "2.80"
"""From here on the entrypoint is one that labelspace does not know."""

version = sys.argv[1]
line = version.rpartition(".")[0]
for folder in Path(__file__).parent.glob("*.*/"):
    if folder.is_dir() and order(folder.name) <= order(line):
        for file in folder.glob("*/*.py"):
            shutil.copy(file, ROOT / "cvat" / "apps" / file.parent.name / "migrations")
if order(line) >= order(UNREAD):
    with (ROOT / "backend_entrypoint.sh").open("a") as entrypoint:
        entrypoint.write("# changed since\n")
write(ROOT / "cvat" / "line.py", "LINE", line)
write(ROOT / "cvat" / "apps" / "engine" / "views" / "server.py", "VERSION", version)
