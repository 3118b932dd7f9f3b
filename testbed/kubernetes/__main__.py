"""``python -m testbed.kubernetes up|down|wipe|kubectl ...``: the cluster by hand."""

from __future__ import annotations

import sys

from labelspace.home import Home
from testbed.kubernetes.cluster import Cluster
from testbed.shell import SetupError


def main() -> int:
    """Run the verb; ``up 2`` has two nodes."""
    verb, *arguments = sys.argv[1:] or ["help"]
    cluster = Cluster(Home.find(), nodes=int(arguments[0]) if verb == "up" and arguments else 1)
    verbs = {"up": cluster.up, "down": cluster.down, "wipe": cluster.wipe}
    try:
        if verb == "kubectl":
            print(cluster.kubectl(*arguments), end="")
        elif verb in verbs:
            verbs[verb]()
        else:
            print("usage: python -m testbed.kubernetes up [NODES]|down|wipe|kubectl ...", file=sys.stderr)
            return 2
    except SetupError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
