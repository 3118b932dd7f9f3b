"""``python -m testbed prepare``: Pulumi, an engine, the images; ``scaleway`` and ``yaml``: more of Pulumi.

``instance``: what a server at Scaleway is booted with in tests.
"""

from __future__ import annotations

import os
import sys

from labelspace.home import Home
from testbed import browser, engine, images, toolchain
from testbed.parts import print_table
from testbed.shell import SetupError


def prepare(home: Home) -> None:
    """Set up every part and print what each is."""
    os.environ["PATH"] = f"{home.tools / 'uv' / 'bin'}:{os.environ['PATH']}"
    parts = [engine.prepare(home), *toolchain.prepare(home), *images.prepare(home)]
    print_table(parts)


def main() -> int:
    """Run the verb; a missing part ends with one sentence."""
    verbs = {
        "prepare": prepare,
        "browser": lambda _: print_table([browser.prepare()]),
        "scaleway": lambda home: print_table(toolchain.prepare_scaleway(home)),
        "instance": lambda home: print_table(images.prepare_instance(home)),
        "yaml": lambda home: print_table(toolchain.prepare_yaml(home)),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        print(f"usage: python -m testbed {'|'.join(verbs)}", file=sys.stderr)
        return 2
    try:
        verbs[sys.argv[1]](Home.find())
    except SetupError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
