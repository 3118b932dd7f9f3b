"""``python -m bench [NAME ...]``: each figure next to a peer's of the same run. Exit code 1 for any miss."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench.report import Report
from bench.workspace import KILLS, WORKSPACES, Bench
from labelspace.cvat.images import CVAT_VERSION

BENCHES = {
    "create": "create to ready, against CVAT by hand",
    "memory": "memory of an idle workspace, against CVAT's official containers",
    "upload": "upload of 1,000 files, against rclone",
    "everyday": "help, preview without changes, resources, registration",
    "listing": "a bucket of 100,000 files in the share",
    "mount": "a bucket of 100,000 objects through the mount of a server at Scaleway",
    "sleep": "start of a stopped workspace, memory asleep",
    "restore": "restore --to on a million shapes, against pg_restore",
    "archive": "what continuous backup costs on a million shapes: writes, space",
    "loss": "what is lost by kills and with the volume, and until when it is back",
    "faults": "random kills while a client writes through the API",
    "audit": "the audit of a million annotations",
}
"""Each is a module of this package with ``measure(bench) -> list[Row]``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches that are named, all by default."""
    options = _parser().parse_args(arguments)
    report = Report()
    with Bench(options.pairs, options.cvat_version, options.kills, options.workspaces) as bench:
        for name in options.names or BENCHES:
            _run(name, bench, report)
            if options.out:
                options.out.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    sys.stdout.write(
        (json.dumps(report.as_json(), indent=2) if options.json else report.as_markdown()) + "\n"
    )
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<9} {what}" for name, what in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="bench", epilog=listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="NAME", help="one of those below")
    parser.add_argument("--json", action="store_true", help="JSON alone on standard output")
    parser.add_argument("--out", type=Path, help="write the JSON here after each bench")
    parser.add_argument("--pairs", type=int, default=3, help="how often each figure and its peer's are taken")
    parser.add_argument("--kills", type=int, default=KILLS, help="how many kills the bench `faults` makes")
    parser.add_argument(
        "--workspaces",
        type=int,
        default=WORKSPACES,
        help="how many workspaces `faults` has at once",
    )
    parser.add_argument("--cvat-version", default=CVAT_VERSION, help="of images that the engine has")
    return parser


def _run(name: str, bench: Bench, report: Report) -> None:
    """A bench that fails is said, and keeps none of the others from running."""
    began = time.monotonic()
    _say(f"{name}: {BENCHES[name]} ...")
    try:
        rows = importlib.import_module(f"bench.{name}").measure(bench)
    except Exception as error:
        report.failed[name] = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    else:
        report.rows[name] = rows
        for row in rows:
            _say(f"  {row.what}: {row.value:.4g} {row.unit} {row.verdict}")
    _say(f"{name}: {time.monotonic() - began:.0f} s")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
