"""``python -m testbed.contract_run VERSION [PYTEST ...]``: the contract on one version, for its line's file.

The official image is pulled where a registry answers; else the double of that version is built, which proves
nothing. ``LABELSPACE_CONTRACT_SERVER`` names a server that was built from source.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

from labelspace import cvat_lines as lines
from labelspace.cvat.images import CVAT_VERSION, cvat_image
from testbed import cvat_lines, images
from testbed.shell import SetupError, run, say, works

FOLDER = Path(lines.__file__).parent
ENTRYPOINT = "/opt/cvat/backend_entrypoint.sh"


def prepare(version: str) -> str:
    """Have the images of ``version``; return ``official``, ``built`` or ``double``."""
    given = os.environ.get("LABELSPACE_CONTRACT_SERVER")
    if given:
        os.environ.setdefault("LABELSPACE_CONTRACT_VERSION", version)
        return "built"
    for part in ("server", "ui"):
        image = cvat_image(part, version)
        if not images._mark_of(image) and not works(["docker", "pull", "--quiet", image], timeout=1800):
            return _double(version)
    mark = images._mark_of(cvat_image("server", version))
    return "official" if mark == "official" else "double"


def _double(version: str) -> str:
    if version not in (CVAT_VERSION, *cvat_lines.VERSIONS):
        raise SetupError(
            f"{cvat_image('server', version)} cannot be pulled, and there is no double of it"
            f" (doubles: {', '.join(cvat_lines.VERSIONS)})"
        )
    cvat_lines.prepare(version)
    return "double"


def check(version: str, arguments: list[str]) -> int:
    """Run the contract with the SDK of the line; return pytest's exit code."""
    os.environ.setdefault("LABELSPACE_CONTRACT_SERVER", cvat_image("server", version))
    os.environ.setdefault("LABELSPACE_CONTRACT_UI", cvat_image("ui", version))
    newest = lines.line_of(version).newest
    sdk = [] if newest == CVAT_VERSION else ["--with", f"cvat-sdk=={newest}"]
    command = ["uv", "run", "--frozen", "--no-sync", *sdk, "python", "-m", "pytest", "testbed/contract"]
    return subprocess.run([*command, *arguments], check=False).returncode


def digest_of(image: str) -> str:
    """The SHA-256 of the image's entrypoint."""
    return run(["docker", "run", "--rm", "--entrypoint", "sha256sum", image, ENTRYPOINT]).split()[0]


def record(file: Path, *, state: str, version: str, digest: str, today: dt.date) -> None:
    """Write what was found into a line's file: state, date, release and the entrypoint's digest."""
    text = file.read_text()
    known = re.search(r"^entrypoints = \[(.*)\]$", text, re.M)
    digests = sorted({*re.findall(r'"(\w+)"', known[1] if known else ""), digest})
    values = {
        "newest": f'"{version}"',
        "state": f'"{state}"',
        "date": today.isoformat(),
        "entrypoints": "[" + ", ".join(f'"{one}"' for one in digests) + "]",
    }
    for key, value in values.items():
        text, found = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, count=1, flags=re.M)
        if not found:
            text = f"{key} = {value}\n{text}"
    file.write_text(text)


def main(arguments: list[str]) -> int:
    """Prepare, check and record."""
    version, *rest = arguments
    kind = prepare(version)
    say(f"the contract on CVAT {version} ({kind})")
    code = check(version, rest)
    file = FOLDER / f"{lines.name_of(version)}.toml"
    if code:
        say(f"the contract failed: {file.name} is left as it is")
    elif kind == "double":
        say(f"passed on the double, which proves nothing: {file.name} is left as it is")
    else:
        image = os.environ["LABELSPACE_CONTRACT_SERVER"]
        state = "proven" if kind == "official" else "run"
        today = dt.datetime.now(dt.UTC).date()
        record(file, state=state, version=version, digest=digest_of(image), today=today)
        say(f"passed: {file} says so; complete `source` and `unknown` there, and review the change")
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(str(error))
