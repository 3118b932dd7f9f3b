"""Time from create to ready, compared with CVAT started by hand from the same images."""

from __future__ import annotations

from statistics import median

from bench.plain import plain
from bench.rows import Bound, Row
from bench.workspace import Bench, own_home, workspace

PEER = "docker run in CVAT's order, then createsuperuser"
FIRST, SECOND = Bound(1.0, of="ratio"), Bound(0.6, of="ratio")


def measure(bench: Bench) -> list[Row]:
    """Seconds, medians of pairs in turn; each pair has a home of its own, so that its first is a first."""
    by_hand, first, second = [], [], []
    for _ in range(bench.pairs):
        with plain(bench.cvat_version) as started:
            by_hand.append(started.seconds)
        with own_home(), workspace(bench.cvat_version) as one:
            first.append(one.seconds)
            with workspace(bench.cvat_version) as two:
                second.append(two.seconds)
    peer = median(by_hand)
    return [
        Row("create to ready, the first workspace", median(first), "s", PEER, peer, FIRST, runs=first),
        Row("create to ready, a second workspace", median(second), "s", PEER, peer, SECOND, runs=second),
        Row("CVAT by hand, each run", peer, "s", runs=by_hand),
    ]
