"""How long the audit takes, and how much memory: on an export of its own making, against pandas and scipy."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from bench.rows import Bound, Row
from bench.workspace import Bench
from labelspace_ops.audit import source

ANNOTATIONS, ATTRIBUTES, PER_IMAGE = 1_000_000, 20, 10
CLASSES = ("car", "bus", "person", "bicycle")
BOUND_SECONDS, BOUND_GIB = Bound(20), Bound(0.6)
AUDIT = "import sys; from labelspace_ops.cli.main import main; main()"
PEER = """
import sys, pandas, scipy.stats
table = pandas.read_pickle(sys.argv[1])
for name in table.columns[1:]:
    for label in table["class"].unique():
        cross = pandas.crosstab(table["class"] == label, table[name])
        scipy.stats.chi2_contingency(cross, correction=False)
"""


def make(path: Path, annotations: int) -> None:
    """Write an export: boxes with twenty attributes of four values each."""
    chance = random.Random(7)  # noqa: S311 - sample data
    names = [f"condition_{number:02}" for number in range(ATTRIBUTES)]
    # a pool of bodies, so that making the file takes less time than reading it
    bodies = ["".join(_attribute(name, chance) for name in names) for _ in range(2000)]
    schema = "".join(
        f"<attribute><name>{name}</name><input_type>select</input_type></attribute>" for name in names
    )
    labels = "".join(
        f"<label><name>{label}</name><attributes>{schema}</attributes></label>" for label in CLASSES
    )
    with path.open("w", encoding="utf-8") as file:
        file.write(f"<annotations><meta><task><labels>{labels}</labels></task></meta>\n")
        for image in range(annotations // PER_IMAGE):
            file.write(f'  <image id="{image}" name="street/{image:07}.jpg" width="1920" height="1080">\n')
            for _ in range(PER_IMAGE):
                label, left, body = chance.choice(CLASSES), chance.random() * 900, chance.choice(bodies)
                file.write(f'    <box label="{label}" source="manual" occluded="0" xtl="{left:.2f}"')
                file.write(f' ytl="10.00" xbr="1000.00" ybr="900.00" z_order="0">\n{body}    </box>\n')
            file.write("  </image>\n")
        file.write("</annotations>\n")


def _attribute(name: str, chance: random.Random) -> str:
    return f'      <attribute name="{name}">value_{chance.randrange(4)}</attribute>\n'


def _run(arguments: list[str]) -> tuple[float, float]:
    """Seconds and GiB of a process of its own."""
    code = (
        "import json, resource, subprocess, sys, time; begun = time.monotonic(); "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20; "
        "print(json.dumps([time.monotonic() - begun, peak]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds, gib = json.loads(done.stdout)
    return seconds, gib


def _peer(path: Path, folder: Path) -> float:
    """pandas and scipy on the same data, which is already in memory for them."""
    dataset = source.read(path)
    values: dict[str, Any] = {"class": pd.Categorical.from_codes(dataset.label, dataset.labels)}
    for name, column in dataset.attributes.items():
        values[name] = pd.Categorical.from_codes(column.codes, column.values)
    table = folder / "table.pickle"
    pd.DataFrame(values).to_pickle(table)
    return _run([sys.executable, "-c", PEER, str(table)])[0]


def measure(_: Bench) -> list[Row]:
    """The figures; the peer only counts and tests, the part of the audit after reading."""
    with tempfile.TemporaryDirectory(prefix="labelspace-bench-") as name:
        folder = Path(name)
        runs = {}
        for count in (ANNOTATIONS // 4, ANNOTATIONS):
            path = folder / f"{count}.xml"
            make(path, count)
            command = [
                sys.executable,
                "-c",
                AUDIT,
                "audit",
                "--annotations",
                str(path),
                "--out",
                str(folder / "out"),
            ]
            runs[count] = (*_run(command), path.stat().st_size / 2**30)
        seconds, gib, size = runs[ANNOTATIONS]
        quarter = runs[ANNOTATIONS // 4][0]
        peer = _peer(folder / f"{ANNOTATIONS}.xml", folder)
    what = f"audit of {ANNOTATIONS:,} annotations x {ATTRIBUTES} attributes ({size:.2f} GiB of XML)"
    counting = "pandas crosstab and scipy, without reading"
    return [
        Row(f"{what}: time", seconds, "s", counting, peer, BOUND_SECONDS),
        Row(f"{what}: memory", gib, "GiB", bound=BOUND_GIB),
        Row("time of the whole to time of a quarter", seconds / quarter, "x", "linear", 4.0),
    ]
