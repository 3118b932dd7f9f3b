"""``python -m testbed all``: set up everything that the tests need, two parts at a time.

``prepare`` sets up what the demo needs. ``browser``, ``scaleway``, ``instance``, ``yaml``, ``kubernetes``,
``generators`` and ``actionlint`` each add one part.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from labelspace.home import Home
from testbed import browser, disk, engine, images, toolchain
from testbed.kubernetes import build as kubernetes
from testbed.parts import Part, print_table
from testbed.shell import SetupError, exclusive

Step = Callable[[Home], list[Part]]

TOOLS: list[Step] = [toolchain.prepare]
MORE_TOOLS: list[Step] = [toolchain.prepare_scaleway, toolchain.prepare_yaml, toolchain.prepare_generators]
IMAGES: list[Step] = [images.prepare]
MORE_IMAGES: list[Step] = [lambda _: [browser.prepare()], images.prepare_instance]


def _lane(home: Home, name: str, steps: list[Step]) -> list[Part]:
    """Run the steps of one lane in order; another process that prepares the same lane waits."""
    with exclusive(home, name):
        return [part for step in steps for part in step(home)]


def _prepare(home: Home, tools: list[Step], container_images: list[Step]) -> None:
    """Start the engine, then prepare tools and images side by side, and print what each part is."""
    with exclusive(home, "engine"):
        parts = [engine.prepare(home)]
    with ThreadPoolExecutor(2) as pool:
        lanes = [
            pool.submit(_lane, home, "tools", tools),
            pool.submit(_lane, home, "images", container_images),
        ]
    print_table([*parts, *(part for lane in lanes for part in lane.result())])


def _one(home: Home, lane: str, step: Step) -> None:
    print_table(_lane(home, lane, [step]))


def _prepare_tests(home: Home) -> None:
    """Everything, and then the disk: what is built has its space by now."""
    _prepare(home, [*TOOLS, *MORE_TOOLS], [*IMAGES, *MORE_IMAGES])
    disk.require(home)


def _prepare_kubernetes(home: Home) -> None:
    """The programs and the plugin side by side; the images that the cluster shares come first."""
    _prepare(home, [*TOOLS, toolchain.prepare_kubernetes], [*IMAGES, kubernetes.prepare])


def main() -> int:
    """Run the verb; a missing part ends with one sentence."""
    verbs: dict[str, Callable[[Home], None]] = {
        "all": _prepare_tests,
        "prepare": lambda home: _prepare(home, TOOLS, IMAGES),
        "browser": lambda home: _one(home, "images", MORE_IMAGES[0]),
        "instance": lambda home: _one(home, "images", images.prepare_instance),
        "scaleway": lambda home: _one(home, "tools", toolchain.prepare_scaleway),
        "actionlint": lambda home: _one(home, "actionlint", toolchain.prepare_actionlint),
        "generators": lambda home: _one(home, "tools", toolchain.prepare_generators),
        "kubernetes": _prepare_kubernetes,
        "yaml": lambda home: _one(home, "tools", toolchain.prepare_yaml),
    }
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        print(f"usage: python -m testbed {'|'.join(verbs)}", file=sys.stderr)
        return 2
    home = Home.find()
    os.environ["PATH"] = f"{home.tools / 'uv' / 'bin'}:{os.environ['PATH']}"
    try:
        verbs[sys.argv[1]](home)
    except SetupError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
